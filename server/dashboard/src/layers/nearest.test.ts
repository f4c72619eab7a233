import { expect, test } from 'vitest';
import type { Candidate, Nearest } from '../api/reading.ts';
import {
  ageText,
  handText,
  isStraight,
  minutes,
  reasonText,
  routesOverlay,
  skippedByReason,
} from './nearest.ts';

const one = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  id,
  post: `网格员 ${id}`,
  role: 'grid_officer',
  seconds: 118,
  metres: 370,
  method: 'network',
  reason: 'Soonest.',
  reason_code: 'soonest',
  reason_codes: ['soonest'],
  n_tasks: 2,
  position_at: '2026-09-18T11:40:50Z',
  route: [
    [117.3, 31.7],
    [117.301, 31.7],
  ],
  ...more,
});

const answer = (candidates: readonly Candidate[]): Nearest => ({
  mode: 'ebike',
  candidates,
  skipped: [],
  n_skipped: {},
  assumptions: [],
});

test('minutes have one decimal, so that close ones can be told apart', () => {
  expect([118, 102, 0, 3599].map(minutes)).toEqual(['2.0', '1.7', '0.0', '60.0']);
});

test('a reason is said in the reader’s language, a new one in the server’s words', () => {
  expect(reasonText(one('17', { reason_codes: ['own_grid', 'has_skill', 'soonest'] }), 'zh')).toBe(
    '本网格必到、技能对口',
  );
  expect(reasonText(one('17', { reason_codes: ['own_grid', 'soonest'] }), 'en')).toBe(
    'Own grid, always attends',
  );
  expect(reasonText(one('17', { reason_codes: ['moon'], reason: 'By the moon.' }), 'zh')).toBe(
    'By the moon.',
  );
});

test('what is in hand and how old the position is stand together', () => {
  const now = Date.parse('2026-09-18T11:42:08Z');
  expect(handText(one('17'), now, 'zh')).toBe('在办 2·定位 78 秒前');
  expect(handText(one('17', { position_at: null }), now, 'zh')).toBe('在办 2');
  expect(ageText(119_400, 'zh')).toBe('119 秒');
  expect(ageText(180_000, 'zh')).toBe('3 分');
});

test('those passed over stand together by reason, most first', () => {
  const skipped = ['off_duty', 'stale', 'off_duty'].map((reason_code, i) => ({
    id: String(i),
    post: `岗 ${i}`,
    reason: '',
    reason_code,
  }));
  expect(skippedByReason({ skipped, n_skipped: { stale: 1, off_duty: 5 } }, 'zh')).toEqual([
    { reason: '不在岗', n: 5, posts: ['岗 0', '岗 2'] },
    { reason: '定位过期', n: 1, posts: ['岗 1'] },
  ]);
});

test('the map draws a route and a number for each who has a way; the chosen one is marked', () => {
  const straight = one('3', { method: 'straight', route: [] });
  const { data } = routesOverlay(answer([one('1'), one('2'), straight]), 1, {
    accent: 'a',
    halo: 'h',
    text: 't',
    onAccent: 'o',
  });
  const lines = data.features.filter((feature) => feature.geometry.type === 'LineString');
  expect(lines.map((line) => line.properties)).toEqual([
    { rank: '1', role: 'grid_officer', chosen: false },
    { rank: '2', role: 'grid_officer', chosen: true },
  ]);
  expect(data.features).toHaveLength(4);
  expect([one('1'), straight].map(isStraight)).toEqual([false, true]);
});
