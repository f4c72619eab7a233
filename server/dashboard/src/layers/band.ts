import type { BandOf, GridRule } from '../api/reading.ts';
import { type Language, translate } from '../i18n/index.ts';
import { count } from './format.ts';

/** A band as a bar: where the allowed range lies and where the value stands, 0..1 of the bar. */
export interface BandBar {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

export type BandSide = 'below' | 'inside' | 'above';

/** The bar ends well behind the maximum, and behind the value where that is larger. */
export function barOf(band: BandOf, value: number): BandBar {
  const end = Math.max(band.max * 1.6, value * 1.08, 1);
  return { from: band.min / end, to: band.max / end, at: Math.max(0, value) / end };
}

export function sideOf(band: BandOf, value: number): BandSide {
  if (value < band.min) return 'below';
  return value > band.max ? 'above' : 'inside';
}

/** How a value stands to its band: `超上限 298`. */
export function verdictText(band: BandOf, value: number, language: Language): string {
  switch (sideOf(band, value)) {
    case 'below':
      return translate(language, 'card.grid.below', { n: count(band.min - value, language) });
    case 'above':
      return translate(language, 'card.grid.above', { n: count(value - band.max, language) });
    case 'inside':
      return translate(language, 'card.inBand');
  }
}

/** The rule in words: `300–500 户或 1,000–1,500 人`. */
export function bandsText(rule: GridRule, language: Language): string {
  const parts = rule.bands.map(
    (band) =>
      `${count(band.min, language)}–${count(band.max, language)} ${translate(language, `unit.${band.unit}`)}`,
  );
  return parts.join(translate(language, rule.logic === 'any' ? 'card.grid.or' : 'card.grid.and'));
}

export function bandFor(rule: GridRule | null, unit: BandOf['unit']): BandOf | null {
  return rule?.bands.find((band) => band.unit === unit) ?? null;
}

/** Bars of equal width: heights 0..1 of the highest; a day without any has none. */
export function heightsOf(counts: readonly number[]): readonly number[] {
  const highest = Math.max(0, ...counts);
  return counts.map((n) => (highest === 0 ? 0 : n / highest));
}

/** A share as people read it; of nothing there is none. */
export function shareText(n: number, of: number): string {
  return of === 0 ? '—' : `${((100 * n) / of).toFixed(1)}%`;
}
