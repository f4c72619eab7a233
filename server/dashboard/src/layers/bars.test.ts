import { expect, test } from 'vitest';
import { barsOf } from './bars.ts';

test('bars stack by level and keep empty bins', () => {
  const bins = [
    { bin: 0, level: 1, n: 3 },
    { bin: 2, level: 1, n: 1 },
    { bin: 2, level: 4, n: 2 },
  ];
  const bars = barsOf({ since: '', until: '', n_bins: 3, bins });
  expect(bars.map((bar) => bar.total)).toEqual([3, 0, 3]);
  expect(bars[2]?.levels).toEqual([
    { level: 4, n: 2 },
    { level: 1, n: 1 },
  ]);
});
