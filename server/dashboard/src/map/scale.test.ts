import { expect, test } from 'vitest';
import { coordinates, metresPerPixel, roundBelow, scaleBar } from './scale.ts';

test('zoom 15.5 is about 1.4 m a pixel at 31.7 north', () => {
  expect(metresPerPixel(15.5, 31.7)).toBeCloseTo(1.437, 2);
});

test('the bar is the longest round length that fits', () => {
  expect([1, 1.9, 2, 4.9, 5, 9.9, 234].map(roundBelow)).toEqual([1, 1, 2, 2, 5, 5, 200]);
  const bar = scaleBar(15.5, 31.7, 110);
  expect(bar.text).toBe('100 m');
  expect(bar.width).toBeCloseTo(69.6, 0);
  expect(scaleBar(8, 31.7, 110).text).toBe('20 km');
});

test('coordinates name their half of the earth', () => {
  expect(coordinates(117.30214, 31.70461)).toBe('117.3021°E 31.7046°N');
  expect(coordinates(-0.5, -1)).toBe('0.5000°W 1.0000°S');
});
