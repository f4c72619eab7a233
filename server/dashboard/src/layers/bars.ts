import type { Histogram } from '../api/types.ts';

/** One bar of the time bar: how many of each level, the least urgent at the bottom. */
export interface Bar {
  readonly total: number;
  readonly levels: readonly { readonly level: number; readonly n: number }[];
}

export function barsOf(histogram: Histogram): readonly Bar[] {
  return Array.from({ length: histogram.n_bins }, (_, i) => {
    const levels = histogram.bins
      .filter((part) => part.bin === i)
      .sort((a, b) => b.level - a.level)
      .map(({ level, n }) => ({ level, n }));
    return { total: levels.reduce((sum, part) => sum + part.n, 0), levels };
  });
}
