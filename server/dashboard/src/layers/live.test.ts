import { expect, test } from 'vitest';
import type { EventItem } from '../api/types.ts';
import { heldBack, lately, pauseBefore, ringed, ringsOf } from './live.ts';

const NOW = Date.parse('2026-09-18T11:42:08Z');

const event = (fid: number, ageMs = 0): EventItem => ({
  fid,
  event_no: `SJ-20260918-${fid}`,
  title: '路灯不亮',
  kind: 'lamp',
  level: 1,
  state: 'reported',
  place: null,
  grid_code: null,
  reported_at: new Date(NOW - ageMs).toISOString(),
  deadline_at: null,
  closed_at: null,
  overdue: false,
  lon: 117.3,
  lat: 31.7,
});

test('tries come ever slower, but never slower than every half minute', () => {
  expect([1, 2, 3, 4, 5, 50].map((n) => pauseBefore(n, 0))).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
  expect(pauseBefore(50, 1)).toBeLessThan(30_000);
  expect(pauseBefore(1, 1)).toBe(1500);
});

test('what comes in above waits; a page added below does not', () => {
  const seen = new Set([1, 2, 3]);
  const events = [9, 1, 8, 2, 3, 4, 5].map((fid) => event(fid));
  expect([...heldBack(seen, events)]).toEqual([9, 8]);
  expect([...heldBack(new Set(), events)]).toEqual([]);
  expect([...heldBack(new Set([77]), events)]).toEqual([]);
});

test('only news is ringed: not what is known, not what is old', () => {
  const told = [event(1), event(2), event(3, 600_000)];
  expect(ringed(told, new Set([2]), [], NOW).map((e) => e.fid)).toEqual([1]);
});

test('from twenty a minute on the map stays still', () => {
  const told = [event(1)];
  const times = (n: number, ageMs: number): number[] => Array.from({ length: n }, () => NOW - ageMs);
  expect(ringed(told, new Set(), times(18, 1000), NOW)).toHaveLength(1);
  expect(ringed(told, new Set(), times(19, 1000), NOW)).toHaveLength(0);
  expect(ringed(told, new Set(), times(19, 61_000), NOW)).toHaveLength(1);
  expect(lately(times(19, 61_000), 2, NOW)).toEqual([NOW, NOW]);
});

test('the worst is ringed three times', () => {
  expect([1, 2, 3, 4].map(ringsOf)).toEqual([1, 1, 1, 3]);
});
