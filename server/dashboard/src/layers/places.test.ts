import { expect, test } from 'vitest';
import type { Area, Grid } from '../api/types.ts';
import { crumbsOf, gridTitle, siblingsOf } from './places.ts';

function area(area_code: string, level: string, parent_code: string | null): Area {
  return {
    area_code,
    name: area_code,
    level,
    parent_code,
    households: null,
    persons: null,
    bounds: [0, 0, 1, 1],
  };
}

//  city ─ district ─ street ┬ one
//                           └ two
const city = area('9901', 'city', null);
const district = area('990101', 'district', '9901');
const street = area('990101001', 'street', '990101');
const one = area('990101001001', 'community', '990101001');
const two = area('990101001002', 'community', '990101001');
const areas = [city, district, street, one, two];

test('the way leads from the city to where one is', () => {
  expect(crumbsOf(areas, two.area_code)).toEqual([city, district, street, two]);
});

test('nowhere in particular is as far down as there is no choice', () => {
  expect(crumbsOf(areas, null)).toEqual([city, district, street]);
  expect(crumbsOf([city, district, street, one], null)).toEqual([city, district, street, one]);
  expect(crumbsOf([], null)).toEqual([]);
});

test('a reader of one community starts there though its parents are hidden', () => {
  expect(crumbsOf([one], null)).toEqual([one]);
});

test('siblings share the parent', () => {
  expect(siblingsOf(areas, one)).toEqual([one, two]);
});

test('grids are called as on the map', () => {
  const grid = (grid_no: string | null): Grid => ({
    grid_code: '990101001001017',
    grid_no,
    name: null,
    households: null,
    persons: null,
    in_band: null,
    vacant: false,
    bounds: [0, 0, 1, 1],
  });
  expect(['017', '17', '7', null].map((n) => gridTitle(grid(n)))).toEqual(['17', '17', '07', '17']);
});
