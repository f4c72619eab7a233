import { expect, test } from 'vitest';
import { clockTime, duration, elapsed, shortMoment } from './age.ts';

const NOW = new Date(2026, 8, 18, 19, 42, 8).getTime();

test('a duration takes the unit that keeps it short', () => {
  const minute = 60_000;
  expect([12, 59, 60, 47 * 60, 48 * 60].map((n) => duration(n * minute, 'zh'))).toEqual([
    '12 分',
    '59 分',
    '1 时',
    '47 时',
    '2 天',
  ]);
  expect(duration(-1, 'en')).toBe('0 min');
});

test('a moment says no more than it must', () => {
  expect(shortMoment(new Date(2026, 8, 18, 8, 5).getTime(), NOW)).toBe('08:05');
  expect(shortMoment(new Date(2026, 8, 17, 8, 5).getTime(), NOW)).toBe('09-17 08:05');
  expect(shortMoment(new Date(2025, 11, 31, 8, 5).getTime(), NOW)).toBe('2025-12-31');
  expect(clockTime(NOW)).toBe('19:42:08');
});

test('what is lost is counted in seconds', () => {
  expect([elapsed(42_000), elapsed(125_000), elapsed(3_725_000)]).toEqual(['00:42', '02:05', '01:02:05']);
});
