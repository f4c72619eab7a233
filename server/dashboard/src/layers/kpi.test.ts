import { expect, test } from 'vitest';
import type { Kpi } from '../api/types.ts';
import { chosenKpis, kpiText, MOST_KPIS } from './kpi.ts';

const rate: Kpi = {
  name: 'on_time',
  title: { zh: '按时办结率', en: 'Closed on time' },
  shape: 'rate',
  formula: { zh: '式', en: 'formula' },
  layer: 'events',
  allowed: true,
  window_days: 30,
  numerator: 1263,
  denominator: 1314,
  value: 1263 / 1314,
  previous: null,
  missing: null,
  calculated_at: '2026-05-06T06:30:00Z',
};

test('a rate shows its denominator and window', () => {
  expect(kpiText(rate, 'zh')).toEqual({ value: '96.1', unit: '%', sub: '1,263 / 1,314·近 30 天' });
});

test('nothing of nothing is a dash, not zero', () => {
  expect(kpiText({ ...rate, numerator: 0, denominator: 0, value: null }, 'zh')).toMatchObject({
    value: '—',
    sub: '0 / 0·近 30 天',
  });
});

test('a count says what it was before, or of how many', () => {
  const today: Kpi = {
    ...rate,
    shape: 'count',
    window_days: 1,
    numerator: 62,
    denominator: null,
    value: 62,
    previous: 54,
  };
  expect(kpiText(today, 'zh').sub).toBe('较昨日同时段 +8');
  expect(kpiText({ ...today, previous: 70 }, 'zh').sub).toBe('较昨日同时段 −8');
  expect(kpiText({ ...today, denominator: 58, previous: null }, 'zh').sub).toBe('应到 58');
});

test('what is not measured or not allowed says why', () => {
  expect(kpiText({ ...rate, missing: { zh: '尚未测算', en: 'not yet' } }, 'en')).toMatchObject({
    value: '—',
    sub: 'not yet',
  });
  expect(kpiText({ ...rate, allowed: false }, 'zh')).toEqual({ value: '—', unit: '', sub: '没有查看权限' });
});

test('minutes have one decimal and say of how many cases', () => {
  expect(kpiText({ ...rate, shape: 'minutes', value: 6.39, denominator: null }, 'zh')).toEqual({
    value: '6.4',
    unit: '分钟',
    sub: '1,263 件·近 30 天',
  });
});

test('the strip shows what was chosen, and without a choice the first eight', () => {
  const all = Array.from({ length: 12 }, (_, i): Kpi => ({ ...rate, name: `k${i}` }));
  expect(chosenKpis(all, null).map((kpi) => kpi.name)).toEqual(
    all.slice(0, MOST_KPIS).map((kpi) => kpi.name),
  );
  expect(chosenKpis(all, ['k9', 'gone', 'k1']).map((kpi) => kpi.name)).toEqual(['k9', 'k1']);
});
