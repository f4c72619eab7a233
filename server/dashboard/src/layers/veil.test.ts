import { expect, test } from 'vitest';
import { outside } from './veil.ts';

const ring = (size: number): number[][] => [
  [0, 0],
  [size, 0],
  [size, size],
  [0, size],
  [0, 0],
];

test('an area is a hole in the veil, and its own hole is veiled', () => {
  const veil = outside({ type: 'Polygon', coordinates: [ring(3), ring(1)] });
  const rings = veil.features.map((f) => (f.geometry.type === 'Polygon' ? f.geometry.coordinates.length : 0));
  expect(rings).toEqual([2, 1]);
});

test('every part of an area is a hole', () => {
  const veil = outside({ type: 'MultiPolygon', coordinates: [[ring(1)], [ring(2)]] });
  expect(veil.features[0]?.geometry).toMatchObject({ coordinates: { length: 3 } });
});
