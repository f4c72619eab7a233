import { expect, test } from 'vitest';
import { cameraFacts, groundFacts, pointFacts } from './facts.ts';

test('a camera whose registry does not say how it looks has no ground, not a ground of zero', () => {
  const blind = { kind: 'camera', ground_m2: null, sees_buildings: null, ring: [], age_years: 4 } as const;
  expect(cameraFacts(blind, 'zh')).toEqual([{ label: '使用年限', text: '4 年' }]);
  const seeing = { ...blind, ground_m2: 1830.4, sees_buildings: 3, age_years: null };
  expect(cameraFacts(seeing, 'zh')).toEqual([{ label: '可见地面', text: '1,830 m²', remark: '可见 3 栋楼' }]);
});

test('what the reader may not know is left out; nought is said', () => {
  const more = {
    kind: 'ground',
    n_buildings: 24,
    households: 798,
    persons: null,
    n_grids: null,
    n_open: 0,
  } as const;
  expect(groundFacts(more, 'en').map(({ label, text }) => [label, text])).toEqual([
    ['Buildings', '24'],
    ['Households', '798'],
    ['Open events', '0'],
  ]);
});

test('a point that was never visited says so, a late one in red', () => {
  const never = { last_visit_at: null, due_days: 7, next_at: '2026-09-18T00:00:00Z', overdue: true };
  const facts = pointFacts({ kind: 'point', visits: never }, 'zh');
  expect(facts.map(({ text, tone }) => [text, tone])).toEqual([
    ['从未', undefined],
    [expect.stringMatching(/^2026-09-18 /), 'bad'],
  ]);
  expect(pointFacts({ kind: 'point', visits: null }, 'zh')).toEqual([]);
});
