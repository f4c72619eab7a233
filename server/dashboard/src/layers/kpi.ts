import type { Kpi } from '../api/types.ts';
import { type Language, titleIn, translate } from '../i18n/index.ts';
import { count } from './format.ts';

/** An indicator as three lines: what, how much in which unit, of how many in which time. */
export interface KpiText {
  readonly value: string;
  readonly unit: string;
  readonly sub: string;
}

export function kpiText(kpi: Kpi, language: Language): KpiText {
  const t = (key: Parameters<typeof translate>[1], holes = {}): string => translate(language, key, holes);
  const n = (x: number): string => count(x, language);
  if (!kpi.allowed) return { value: t('value.none'), unit: '', sub: t('state.denied') };
  if (kpi.missing) return { value: t('value.none'), unit: '', sub: titleIn(kpi.missing, language) };
  const window = kpi.window_days === null ? '' : windowText(kpi.window_days, language);
  const share =
    kpi.numerator !== null && kpi.denominator !== null ? `${n(kpi.numerator)} / ${n(kpi.denominator)}` : '';
  const sub = [share, window].filter(Boolean).join('·');
  // Nothing to divide by is no zero.
  if (kpi.value === null) return { value: t('value.none'), unit: '', sub };
  switch (kpi.shape) {
    case 'rate':
      return { value: (kpi.value * 100).toFixed(1), unit: '%', sub };
    case 'minutes':
      return {
        value: kpi.value.toFixed(1),
        unit: t('unit.min'),
        sub: [cases(kpi, language), window].filter(Boolean).join('·'),
      };
    case 'score':
      return {
        value: kpi.value.toFixed(2),
        unit: '',
        sub: [cases(kpi, language), window].filter(Boolean).join('·'),
      };
    case 'count':
      return { value: n(kpi.value), unit: '', sub: countSub(kpi, language) };
  }
}

function countSub(kpi: Kpi, language: Language): string {
  if (kpi.denominator !== null) return translate(language, 'kpi.of', { n: count(kpi.denominator, language) });
  if (kpi.previous === null || kpi.value === null) return '';
  const change = kpi.value - kpi.previous;
  const sign = change > 0 ? '+' : change < 0 ? '−' : '±';
  return translate(language, 'kpi.before', { n: `${sign}${count(Math.abs(change), language)}` });
}

function cases(kpi: Kpi, language: Language): string {
  return kpi.numerator === null
    ? ''
    : translate(language, 'kpi.cases', { n: count(kpi.numerator, language) });
}

function windowText(days: number, language: Language): string {
  return days === 1 ? '' : translate(language, 'kpi.window', { n: days });
}

/** As many indicators as a wall has room for. */
export const MOST_KPIS = 8;

/** The reader's own choice out of the registry, in its order of choosing; without one the first eight. */
export function chosenKpis(all: readonly Kpi[], names: readonly string[] | null): readonly Kpi[] {
  const own = (names ?? []).flatMap((name) => all.find((kpi) => kpi.name === name) ?? []);
  return (own.length > 0 ? own : all).slice(0, MOST_KPIS);
}
