import type { StyleSpecification } from 'maplibre-gl';
import type { Language } from '../i18n/index.ts';
import type {
  Area,
  Bounds,
  Catalog,
  Counts,
  EventDetail,
  EventPage,
  Feature,
  Grid,
  Histogram,
  Kpis,
  Session,
} from './types.ts';

/** Why an answer did not come; each is its own picture and words on the page. */
export type FailureKind = 'denied' | 'signed-out' | 'gone' | 'offline' | 'timeout' | 'server';

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    /** The server's own sentence, where it gave one. */
    readonly detail: string | null,
    readonly status: number | null,
    /** The same in Chinese, where the server says it in both languages. */
    readonly detailZh: string | null = null,
  ) {
    super(detail ?? kind);
    this.name = 'Failure';
  }

  /** The server's sentence in the reader's language; null where it has none in it. */
  said(language: Language): string | null {
    return language === 'zh' ? this.detailZh : this.detail;
  }
}

export type Theme = 'dark' | 'light';

const TIMEOUT_MS = 15_000;

/** What is computed when it is asked for: the first question after an installation also waits for the compiler. */
export const COMPUTED_MS = 90_000;

/** The server's answers, each a typed promise that rejects with a `Failure` or, when given up, an AbortError. */
export const api = {
  catalog: (): Promise<Catalog> => get('/api/catalog'),
  style: (theme: Theme, language: Language): Promise<StyleSpecification> =>
    get(`/tiles/style/${theme}.json?lang=${language}`),
  counts: (bounds: Bounds, signal: AbortSignal): Promise<Counts> =>
    get(`/api/counts?bbox=${bounds.map((x) => x.toFixed(6)).join(',')}`, signal),
  session: (): Promise<Session> => get('/api/session'),
  signIn: (token: string): Promise<Session> => send('POST', '/api/session', { token }),
  signOut: (): Promise<null> => send('DELETE', '/api/session'),
  areas: (): Promise<readonly Area[]> => get('/api/areas'),
  grids: (area: string): Promise<readonly Grid[]> => get(`/api/areas/${encodeURIComponent(area)}/grids`),
  kpis: (area: string | null): Promise<Kpis> => get(`/api/kpis${area ? `?area=${area}` : ''}`),
  events: (query: URLSearchParams, signal: AbortSignal): Promise<EventPage> =>
    get(`/api/events?${query}`, signal),
  histogram: (query: URLSearchParams, signal: AbortSignal): Promise<Histogram> =>
    get(`/api/events/histogram?${query}`, signal),
  event: (eventNo: string, signal: AbortSignal): Promise<EventDetail> =>
    get(`/api/events/${encodeURIComponent(eventNo)}`, signal),
  feature: (layer: string, fid: number, signal: AbortSignal): Promise<Feature> =>
    get(`/api/features/${encodeURIComponent(layer)}/${fid}`, signal),
};

export function get<T>(path: string, given?: AbortSignal, within = TIMEOUT_MS): Promise<T> {
  return ask(path, { headers: { accept: 'application/json' } }, given, within);
}

export function send<T>(
  method: 'POST' | 'DELETE',
  path: string,
  body?: unknown,
  given?: AbortSignal,
  within = TIMEOUT_MS,
): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const how = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return ask(path, how, given, within);
}

async function ask<T>(
  path: string,
  how: RequestInit,
  given: AbortSignal | undefined,
  within: number,
): Promise<T> {
  const timeout = AbortSignal.timeout(within);
  const signal = given ? AbortSignal.any([given, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetch(path, { ...how, signal });
    if (response.ok) return (response.status === 204 ? null : await response.json()) as T;
  } catch (error) {
    if (given?.aborted) throw error;
    if (timeout.aborted) throw new Failure('timeout', null, null);
    throw new Failure('offline', null, null);
  }
  const { detail, zh } = await sentenceOf(response);
  throw new Failure(kindOf(response.status), detail, response.status, zh);
}

function kindOf(status: number): FailureKind {
  if (status === 401) return 'signed-out';
  if (status === 403) return 'denied';
  if (status === 404 || status === 410) return 'gone';
  if (status === 504) return 'timeout';
  return 'server';
}

/** What an application/problem+json answer says: `detail`, and `detail_zh` where there is one. */
async function sentenceOf(response: Response): Promise<{ detail: string | null; zh: string | null }> {
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const problem: unknown = isJson ? await response.json().catch(() => null) : null;
  if (!problem || typeof problem !== 'object') return { detail: null, zh: null };
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    detail: text('detail' in problem ? problem.detail : null),
    zh: text('detail_zh' in problem ? problem.detail_zh : null),
  };
}
