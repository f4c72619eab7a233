import { expect, test } from 'vitest';
import { distance, pathLength, ringArea } from './measure.ts';

// One thousandth of a degree at 31.7 north, from the WGS 84 tables: 110.9 m north, 94.7 m east.
const A = [117.3, 31.7] as const;
const B = [117.301, 31.7] as const;
const C = [117.301, 31.701] as const;
const D = [117.3, 31.701] as const;

test('a distance is the metres of the ground, within half a percent', () => {
  expect(distance(A, D) / 110.9).toBeCloseTo(1, 2);
  expect(distance(A, B) / 94.7).toBeCloseTo(1, 2);
  expect(distance(A, A)).toBe(0);
});

test('a path is the sum of its legs', () => {
  expect(pathLength([A, B, C])).toBeCloseTo(distance(A, B) + distance(B, C), 6);
  expect([pathLength([]), pathLength([A])]).toEqual([0, 0]);
});

test('a small rectangle has the area of its sides, whichever way round', () => {
  const sides = distance(A, B) * distance(B, C);
  expect(ringArea([A, B, C, D]) / sides).toBeCloseTo(1, 3);
  expect(ringArea([D, C, B, A])).toBeCloseTo(ringArea([A, B, C, D]), 6);
  expect(ringArea([A, B])).toBe(0);
});
