import { expect, test } from 'vitest';
import { readCircle, writeCircle } from './address.ts';
import {
  added,
  closed,
  decodeChanges,
  encodeChanges,
  moved,
  nextLabel,
  onTheWire,
  shifted,
  untouched,
  without,
} from './changes.ts';
import type { Change } from './types.ts';

const HERE = [117.3, 31.7] as const;
const THERE = [117.31, 31.71] as const;

const EVERYTHING: readonly Change[] = [
  { op: 'add', label: 'A', point: HERE },
  { op: 'move', fid: 12, point: THERE },
  { op: 'close', fid: 14 },
  { op: 'gate', point: HERE },
  { op: 'bridge', line: [HERE, THERE] },
];

test('a trial comes back from the address as it went in', () => {
  expect(decodeChanges(encodeChanges(EVERYTHING))).toEqual(EVERYTHING);
});

test.each([
  '',
  'add:A',
  'add:<b>:1,2',
  'add:A:1',
  'add:A:1,95',
  'move:x:1,2',
  'close:',
  'bridge:1,2',
  'burn:1,2',
])('what is no change is left out: %s', (word) => {
  expect(decodeChanges(word)).toEqual([]);
  expect(decodeChanges(`${word};close:14`)).toEqual([{ op: 'close', fid: 14 }]);
});

test('a facility is moved or closed once, and can be left as it was', () => {
  const twice = moved(moved([], 12, HERE), 12, THERE);
  expect(twice).toEqual([{ op: 'move', fid: 12, point: THERE }]);
  expect(closed(twice, 12)).toEqual([{ op: 'close', fid: 12 }]);
  expect(untouched(closed(twice, 12), 12)).toEqual([]);
});

test('what was added is moved by its place in the list, and the others stay', () => {
  const two = added(added([], HERE, 'A'), HERE, 'B');
  expect(shifted(two, 1, THERE)).toEqual([two[0], { op: 'add', label: 'B', point: THERE }]);
  expect(without(two, 0)).toEqual([two[1]]);
});

test('a bridge has no place to be moved to', () => {
  const bridge: readonly Change[] = [{ op: 'bridge', line: [HERE, THERE] }];
  expect(shifted(bridge, 0, HERE)).toEqual(bridge);
});

test('letters are used once', () => {
  expect(nextLabel([])).toBe('A');
  expect(nextLabel(['A', 'C'])).toBe('B');
  expect(nextLabel([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'])).toBe('A1');
});

test('letters stay here; the server gets places', () => {
  expect(onTheWire(EVERYTHING)[0]).toEqual({ op: 'add', point: HERE });
});

test('the address of the page holds all that was chosen', () => {
  const state = {
    view: { lng: 117.3, lat: 31.7, zoom: 15.5, bearing: 0, pitch: 0 },
    area: '990101001001',
    category: 'elder_day_care',
    pace: 3.2,
    limit: 10,
    openAt: 'Sat 10:00',
    weigh: 'persons',
    by: 'grid',
    changes: EVERYTHING,
    theme: 'dark',
    language: 'en',
  } as const;
  expect(readCircle(writeCircle(state))).toEqual(state);
});

test.each([
  '?pace=0',
  '?pace=1e9',
  '?pace=NaN',
  '?unit=cats',
  '?limit=7',
  '?open=Sun-0000',
  '?by=cat',
  '?c=<script>',
  '?area=x',
  '?do=%00',
])('an address that says nonsense is as if it said nothing: %s', (search) => {
  expect(readCircle(search)).toEqual(readCircle(''));
});
