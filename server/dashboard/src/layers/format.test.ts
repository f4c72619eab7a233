import { expect, test } from 'vitest';
import { area, count, instant, length } from './format.ts';

test('counts are grouped, and short where they are large', () => {
  expect(count(1314, 'zh')).toBe('1,314');
  expect(count(1_234_000, 'zh')).toBe('123.4 万');
  expect(count(1_234_000, 'en')).toBe('1.2M');
});

test('an instant is a date and a minute; what is no instant stays as it came', () => {
  expect(instant('2026-05-06T14:30:00')).toBe('2026-05-06 14:30');
  expect(instant('待定')).toBe('待定');
});

test('lengths and areas take the unit that keeps them short', () => {
  expect([length(80.4), length(1234), length(12_345)]).toEqual(['80 m', '1.23 km', '12.3 km']);
  expect([area(350, 'zh'), area(48_000, 'zh'), area(48_000, 'en'), area(2_500_000, 'en')]).toEqual([
    '350 m²',
    '4.8 公顷',
    '4.8 ha',
    '2.50 km²',
  ]);
});
