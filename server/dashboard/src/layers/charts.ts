import type { Series, Stats, StatsBy, StatsRow } from '../api/reading.ts';
import type { Catalog } from '../api/types.ts';
import { type Language, titleIn, translate } from '../i18n/index.ts';
import type { EventFilter, Time } from '../state/filter.ts';
import { codeTitle } from './format.ts';

/** The charts of the page, in reading order. */
export const CHARTS = ['day', 'kind', 'level', 'area', 'hour', 'state'] as const;
export type ChartOf = (typeof CHARTS)[number];

export const DAYS = [7, 30, 90] as const;
export type Days = (typeof DAYS)[number];

const DAY_MS = 86_400_000;

/** One bar: its words, its counts, and what a click on it means. */
export interface Bar {
  readonly key: string;
  readonly title: string;
  readonly open: number;
  readonly closed: number;
  readonly choice: Choice | null;
}

/** A click filters list and map: by the filter, by a level of the tree, or by going to an area. */
export type Choice =
  | { readonly kind: 'kind' | 'state'; readonly value: string }
  | { readonly kind: 'level'; readonly level: number }
  | { readonly kind: 'area'; readonly code: string }
  | { readonly kind: 'time'; readonly since: number; readonly until: number };

/** The bars of an answer. Categories come most first, time and levels in their own order; the least are left out. */
export function barsOf(stats: Stats, catalog: Catalog | null, language: Language, most = 12): readonly Bar[] {
  const bars = stats.rows.map((row) => ({
    key: row.key,
    title: titleOf(stats.by, row, catalog, language),
    open: row.n_open,
    closed: row.n_closed,
    choice: choiceOf(stats.by, row.key),
  }));
  if (!RANKED.has(stats.by)) return bars;
  return bars.toSorted((a, b) => b.open + b.closed - a.open - a.closed).slice(0, most);
}

const RANKED: ReadonlySet<StatsBy> = new Set(['kind', 'area', 'state', 'source']);

function titleOf(by: StatsBy, row: StatsRow, catalog: Catalog | null, language: Language): string {
  if (row.title) return titleIn(row.title, language);
  switch (by) {
    case 'day':
    case 'week':
      return row.key.slice(5, 10);
    case 'hour':
      return translate(language, 'charts.hour', { n: Number(row.key) });
    case 'kind':
    case 'level':
    case 'state':
    case 'source': {
      const codes = catalog?.layers
        .find((l) => l.name === 'events')
        ?.fields.find((f) => f.name === by)?.codes;
      return codeTitle(codes ?? [], row.key, language);
    }
    case 'area':
      return row.key;
  }
}

function choiceOf(by: StatsBy, key: string): Choice | null {
  switch (by) {
    case 'kind':
    case 'state':
      return { kind: by, value: key };
    case 'level':
      return { kind: 'level', level: Number(key) };
    case 'area':
      return { kind: 'area', code: key };
    case 'day': {
      const since = new Date(`${key.slice(0, 10)}T00:00:00`).getTime();
      return Number.isFinite(since) ? { kind: 'time', since, until: since + DAY_MS } : null;
    }
    case 'week':
    case 'hour':
    case 'source':
      return null;
  }
}

/**
 * The filter after a click on a bar: closed events count in the charts, so the list shows them too, in the same time
 * unless a bar of time was clicked.
 */
export function filterAfter(filter: EventFilter, choice: Choice, days: Days, now: number): EventFilter {
  const since = new Date(now - (days - 1) * DAY_MS).setHours(0, 0, 0, 0);
  const time: Time =
    choice.kind === 'time'
      ? { kind: 'own', since: choice.since, until: choice.until }
      : { kind: 'own', since, until: now };
  return {
    ...filter,
    time,
    closed: true,
    overdue: false,
    kinds: choice.kind === 'kind' ? new Set([choice.value]) : filter.kinds,
    states: choice.kind === 'state' ? new Set([choice.value]) : filter.states,
  };
}

/** A line through the days of an indicator, px; days without a value break it. */
export function sparkPath(points: Series['points'], width: number, height: number): string {
  const values = points.map((point) => point.value);
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const x = (i: number): number => (points.length < 2 ? width / 2 : (i * width) / (points.length - 1));
  const y = (value: number): number =>
    high === low ? height / 2 : height - ((value - low) / (high - low)) * height;
  const round = (n: number): number => Math.round(n * 10) / 10;
  let pen = 'M';
  return values
    .map((value, i) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${round(x(i))} ${round(y(value))}`;
      pen = 'L';
      return step;
    })
    .join('');
}

/** The lowest and the highest day, where any is known. */
export function rangeOf(points: Series['points']): { readonly low: number; readonly high: number } | null {
  const known = points.map((point) => point.value).filter((value) => value !== null);
  return known.length === 0 ? null : { low: Math.min(...known), high: Math.max(...known) };
}
