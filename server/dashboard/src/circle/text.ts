import type { Language } from '../i18n/index.ts';
import { count } from '../layers/format.ts';
import type { Weigh, Weight } from './types.ts';

const NONE = '—';

/** `85.9`: a share as a percentage without its sign; never 100.0 where somebody is left out. */
export function percent(share: number | null): string {
  if (share === null) return NONE;
  const rounded = Math.round(share * 1000) / 10;
  const honest = rounded === 100 && share < 1 ? 99.9 : rounded === 0 && share > 0 ? 0.1 : rounded;
  return honest.toFixed(1);
}

/** A share of two counts; nothing where there is nothing to share. */
export function shareOf(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole === 0 ? null : part / whole;
}

/** `6.6`: minutes. */
export function minutes(seconds: number | null): string {
  return seconds === null ? NONE : (seconds / 60).toFixed(1);
}

/** `13`: minutes that nobody needs more finely. */
export function wholeMinutes(seconds: number | null): string {
  return seconds === null ? NONE : String(Math.ceil(seconds / 60 - 1e-6));
}

export function number(n: number | null, language: Language): string {
  return n === null ? NONE : count(n, language);
}

/** `+2,526`, `−264`, `0`. */
export function signed(n: number | null, language: Language): string {
  if (n === null) return NONE;
  if (n === 0) return '0';
  return `${n > 0 ? '+' : '−'}${count(Math.abs(n), language)}`;
}

/** The one of two numbers that is asked for. */
export function weightOf(of: Weight, weigh: Weigh): number | null {
  return weigh === 'households' ? of.households : of.persons;
}

export function coveredOf(
  of: { readonly households_covered: number | null; readonly persons_covered: number | null },
  weigh: Weigh,
): number | null {
  return weigh === 'households' ? of.households_covered : of.persons_covered;
}
