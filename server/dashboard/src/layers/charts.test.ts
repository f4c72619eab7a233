import { expect, test } from 'vitest';
import type { Stats, StatsBy, StatsRow } from '../api/reading.ts';
import { NO_FILTER } from '../state/filter.ts';
import { barsOf, filterAfter, rangeOf, sparkPath } from './charts.ts';

const NOW = new Date('2026-09-18T19:42:08').getTime();

const row = (key: string, n: number, title: StatsRow['title'] = null): StatsRow => ({
  key,
  title,
  n,
  n_open: Math.floor(n / 3),
  n_closed: n - Math.floor(n / 3),
  n_overdue: 0,
  on_time_share: null,
});

const stats = (by: StatsBy, rows: readonly StatsRow[]): Stats => ({ by, since: '', until: '', rows });

test('categories come most first; time keeps its order', () => {
  const kinds = barsOf(stats('kind', [row('noise', 3), row('gas', 9), row('lamp', 6)]), null, 'zh', 2);
  expect(kinds.map((bar) => bar.key)).toEqual(['gas', 'lamp']);
  const days = barsOf(stats('day', [row('2026-09-17', 3), row('2026-09-18', 9)]), null, 'zh');
  expect(days.map((bar) => bar.title)).toEqual(['09-17', '09-18']);
});

test('a bar counts each event once: open or closed', () => {
  const [bar] = barsOf(stats('kind', [row('gas', 9)]), null, 'zh');
  expect(bar && bar.open + bar.closed).toBe(9);
});

test('a bar is called what the server calls it, else by its code', () => {
  const titles = barsOf(
    stats('area', [row('990101001001', 1, { zh: '晴川社区', en: 'Qingchuan' })]),
    null,
    'en',
  );
  expect(titles[0]?.title).toBe('Qingchuan');
  expect(barsOf(stats('hour', [row('7', 1)]), null, 'zh')[0]?.title).toBe('7 时');
});

test('a click shows what the bar counted: closed ones too, in the same days', () => {
  const [kind] = barsOf(stats('kind', [row('gas', 9)]), null, 'zh');
  const filter = kind?.choice && filterAfter(NO_FILTER, kind.choice, 30, NOW);
  expect(filter && [...filter.kinds]).toEqual(['gas']);
  expect(filter?.closed).toBe(true);
  expect(filter?.time).toEqual({ kind: 'own', since: new Date('2026-08-20T00:00:00').getTime(), until: NOW });
});

test('a click on a day is that day', () => {
  const [day] = barsOf(stats('day', [row('2026-09-17', 3)]), null, 'zh');
  const filter = day?.choice && filterAfter(NO_FILTER, day.choice, 7, NOW);
  expect(filter?.time).toEqual({
    kind: 'own',
    since: new Date('2026-09-17T00:00:00').getTime(),
    until: new Date('2026-09-18T00:00:00').getTime(),
  });
});

test('a line breaks where a day has no value, and is flat where nothing changes', () => {
  const points = [1, null, 3, 5].map((value, i) => ({
    day: `2026-09-0${i + 1}`,
    value,
    numerator: null,
    denominator: null,
  }));
  expect(sparkPath(points, 30, 10)).toBe('M0 10M20 5L30 0');
  expect(rangeOf(points)).toEqual({ low: 1, high: 5 });
  const flat = points.map((point) => ({ ...point, value: 2 }));
  expect(sparkPath(flat, 30, 10)).toBe('M0 5L10 5L20 5L30 5');
  expect(sparkPath([], 30, 10)).toBe('');
  expect(rangeOf([])).toBeNull();
});
