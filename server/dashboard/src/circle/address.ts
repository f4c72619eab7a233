import type { Theme } from '../api/client.ts';
import type { Language } from '../i18n/index.ts';
import { code, readView, type View, writeView } from '../state/address.ts';
import { decodeChanges, encodeChanges } from './changes.ts';
import type { By, Change, Weigh } from './types.ts';

/** A walking speed by name, or one's own in km/h. */
export type Pace = 'adult' | 'elder' | number;

export const PACES: Readonly<Record<'adult' | 'elder', number>> = { adult: 4, elder: 2.88 };

/** Slower or faster than this nobody walks; the server says the same. */
export const SLOWEST_KMH = 1;
export const FASTEST_KMH = 10;

export function kmhOf(pace: Pace): number {
  return typeof pace === 'number' ? pace : PACES[pace];
}

/** Limits that can be asked instead of each category's own, minutes. */
export const LIMITS = [5, 10, 15] as const;

/** Moments of the week at which facilities may be asked to be open, as the server reads them. */
export const MOMENTS = ['Tue 09:30', 'Tue 20:00', 'Sat 10:00'] as const;

/** What the address of the page holds: all that a colleague needs to see the same trial. */
export interface CircleAddress {
  readonly view: View | null;
  readonly area: string | null;
  readonly category: string | null;
  readonly pace: Pace;
  /** This limit instead of each category's own, minutes. */
  readonly limit: number | null;
  /** Only facilities open then. */
  readonly openAt: string | null;
  readonly weigh: Weigh;
  readonly by: By;
  readonly changes: readonly Change[];
  readonly theme: Theme | null;
  readonly language: Language | null;
}

export function readCircle(search: string): CircleAddress {
  const params = new URLSearchParams(search);
  const one = <T extends string>(name: string, words: readonly T[]): T | null =>
    words.find((word) => word === params.get(name)) ?? null;
  const category = params.get('c') ?? '';
  return {
    view: readView(params.get('v')),
    area: code(params.get('area'), 2, 12),
    category: /^[a-z][a-z0-9_]{0,62}$/.test(category) ? category : null,
    pace: paceOf(params.get('pace')),
    limit: LIMITS.find((minutes) => String(minutes) === params.get('limit')) ?? null,
    openAt: MOMENTS.find((moment) => wordOf(moment) === params.get('open')) ?? null,
    weigh: one('unit', ['households', 'persons']) ?? 'households',
    by: one('by', ['building', 'grid', 'h3']) ?? 'building',
    changes: decodeChanges(params.get('do') ?? ''),
    theme: one('theme', ['dark', 'light']),
    language: one('lang', ['zh', 'en']),
  };
}

export function writeCircle(state: CircleAddress): string {
  const words: string[] = [];
  if (state.view) words.push(`v=${writeView(state.view)}`);
  if (state.area) words.push(`area=${state.area}`);
  if (state.category) words.push(`c=${state.category}`);
  if (state.pace !== 'adult') words.push(`pace=${state.pace}`);
  if (state.limit !== null) words.push(`limit=${state.limit}`);
  if (state.openAt !== null) words.push(`open=${wordOf(state.openAt)}`);
  if (state.weigh !== 'households') words.push(`unit=${state.weigh}`);
  if (state.by !== 'building') words.push(`by=${state.by}`);
  if (state.changes.length > 0) words.push(`do=${encodeChanges(state.changes)}`);
  if (state.theme) words.push(`theme=${state.theme}`);
  if (state.language) words.push(`lang=${state.language}`);
  return `?${words.join('&')}`;
}

/** `Tue-0930` */
function wordOf(moment: string): string {
  return moment.replace(' ', '-').replace(':', '');
}

function paceOf(text: string | null): Pace {
  if (text === 'adult' || text === 'elder') return text;
  const kmh = Number(text);
  return text && kmh >= SLOWEST_KMH && kmh <= FASTEST_KMH ? kmh : 'adult';
}
