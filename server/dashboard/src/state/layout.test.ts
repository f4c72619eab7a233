import { expect, test } from 'vitest';
import { layoutOf, paddingOf, unitOf } from './layout.ts';

test('the window’s width decides the layout', () => {
  expect([1920, 1440, 1280, 1279, 1024, 1023, 390].map(layoutOf)).toEqual([
    'wall',
    'desk',
    'desk',
    'narrow',
    'narrow',
    'sheet',
    'sheet',
  ]);
});

test('a larger wall draws everything larger, up to twice', () => {
  expect([
    unitOf(1440, 900),
    unitOf(1920, 1080),
    unitOf(3840, 1080),
    unitOf(3840, 2160),
    unitOf(7680, 4320),
  ]).toEqual([1, 1, 1, 2, 2]);
  expect(unitOf(2560, 1440)).toBeCloseTo(1.333, 2);
});

test('panels are kept clear of', () => {
  const all = { layers: true, side: true, timeline: true };
  expect(paddingOf('wall', 1, all)).toEqual({ top: 12, right: 424, bottom: 128, left: 312 });
  expect(paddingOf('wall', 2, all).right).toBe(848);
  expect(paddingOf('desk', 1, { ...all, timeline: false })).toEqual({
    top: 12,
    right: 360,
    bottom: 40,
    left: 264,
  });
  expect(paddingOf('sheet', 1, { ...all, layers: false }).bottom).toBeGreaterThan(300);
});
