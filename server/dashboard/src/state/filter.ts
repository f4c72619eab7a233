import type { Bounds, Level } from '../api/types.ts';
import type { Look } from '../layers/look.ts';

/** Which time an event list covers: any, a span that ends now, or one's own, ms since 1970. */
export type Time =
  | { readonly kind: 'any' }
  | { readonly kind: 'span'; readonly span: Span }
  | { readonly kind: 'own'; readonly since: number; readonly until: number };

export const SPANS = ['1h', '6h', '24h', 'today', '7d', '30d'] as const;
export type Span = (typeof SPANS)[number];

export interface EventFilter {
  readonly time: Time;
  /** Closed events too. */
  readonly closed: boolean;
  readonly overdue: boolean;
  /** Only what lies in the map's view. */
  readonly inView: boolean;
  readonly kinds: ReadonlySet<string>;
  readonly states: ReadonlySet<string>;
}

/** Where the reader has drilled to: codes of an area and of a grid. */
export interface Place {
  readonly area: string | null;
  readonly grid: string | null;
}

export const NO_FILTER: EventFilter = {
  time: { kind: 'any' },
  closed: false,
  overdue: false,
  inView: false,
  kinds: new Set(),
  states: new Set(),
};

export const LEVELS: readonly Level[] = [4, 3, 2, 1];

const HOUR_MS = 3_600_000;

/** The levels that the layer tree leaves switched on: list and map follow one switch. */
export function levelsOf(look: Look): readonly Level[] {
  return LEVELS.filter((level) => !look.hidden.has(`events:${level}`));
}

/** The interval that a time means at a moment; null is open. */
export function interval(time: Time, now: number): { since: number | null; until: number | null } {
  switch (time.kind) {
    case 'any':
      return { since: null, until: null };
    case 'own':
      return { since: time.since, until: time.until };
    case 'span':
      return { since: sinceOf(time.span, now), until: null };
  }
}

export function sinceOf(span: Span, now: number): number {
  switch (span) {
    case '1h':
      return now - HOUR_MS;
    case '6h':
      return now - 6 * HOUR_MS;
    case '24h':
      return now - 24 * HOUR_MS;
    case 'today':
      return new Date(now).setHours(0, 0, 0, 0);
    case '7d':
      return now - 7 * 24 * HOUR_MS;
    case '30d':
      return now - 30 * 24 * HOUR_MS;
  }
}

/** A filter as the server's query. */
export function eventQuery(
  filter: EventFilter,
  place: Place,
  levels: readonly Level[],
  view: Bounds | null,
  now: number,
): URLSearchParams {
  const query = new URLSearchParams();
  if (place.grid) query.set('grid_code', place.grid);
  else if (place.area) query.set('area', place.area);
  const { since, until } = interval(filter.time, now);
  if (since !== null) query.set('since', new Date(since).toISOString());
  if (until !== null) query.set('until', new Date(until).toISOString());
  if (!filter.closed) query.set('is_open', 'true');
  if (filter.overdue) query.set('overdue', 'true');
  if (filter.inView && view) query.set('bbox', view.map((x) => x.toFixed(6)).join(','));
  if (levels.length < LEVELS.length) for (const level of levels) query.append('level', String(level));
  for (const kind of [...filter.kinds].sort()) query.append('kind', kind);
  for (const state of [...filter.states].sort()) query.append('state', state);
  return query;
}

/** Whether anything is filtered at all, so that one click can clear it. */
export function isFiltered(filter: EventFilter): boolean {
  return encodeFilter(filter) !== '';
}

/** The filter as one word of the address; empty where nothing is filtered. */
export function encodeFilter(filter: EventFilter): string {
  const words: string[] = [];
  switch (filter.time.kind) {
    case 'any':
      break;
    case 'span':
      words.push(filter.time.span);
      break;
    case 'own':
      words.push(`${Math.round(filter.time.since / 1000)}-${Math.round(filter.time.until / 1000)}`);
      break;
  }
  if (filter.closed) words.push('closed');
  if (filter.overdue) words.push('overdue');
  if (filter.inView) words.push('view');
  for (const kind of [...filter.kinds].sort()) words.push(`kind:${kind}`);
  for (const state of [...filter.states].sort()) words.push(`state:${state}`);
  return words.join('.');
}

export function decodeFilter(text: string): EventFilter {
  const words = text.split('.').filter(Boolean);
  const after = (prefix: string): ReadonlySet<string> =>
    new Set(words.filter((word) => word.startsWith(prefix)).map((word) => word.slice(prefix.length)));
  return {
    time: timeOf(words),
    closed: words.includes('closed'),
    overdue: words.includes('overdue'),
    inView: words.includes('view'),
    kinds: after('kind:'),
    states: after('state:'),
  };
}

function timeOf(words: readonly string[]): Time {
  const span = SPANS.find((name) => words.includes(name));
  if (span) return { kind: 'span', span };
  const own = words.map((word) => /^(\d{1,12})-(\d{1,12})$/.exec(word)).find((match) => match !== null);
  const [since, until] = [Number(own?.[1]) * 1000, Number(own?.[2]) * 1000];
  return own && since < until ? { kind: 'own', since, until } : { kind: 'any' };
}
