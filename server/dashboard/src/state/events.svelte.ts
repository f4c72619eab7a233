import { api } from '../api/client.ts';
import type { EventCounts, EventItem, Histogram } from '../api/types.ts';
import { type Span, sinceOf } from './filter.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from './loadable.ts';

const PAGE = 500;

/** The map draws, and the list holds at once, this many; more pages come as one scrolls. */
const DRAWN = 2000;

/** How often the list asks what is new, ms. */
const EVERY_MS = 20_000;

/** The same while the stream flows: deadlines pass without anyone writing, ms. */
const SELDOM_MS = 55_000;

export const BINS = 48;

export type Range = Extract<Span, '24h' | '7d' | '30d'>;

export interface Listing {
  readonly counts: EventCounts;
  readonly events: readonly EventItem[];
  readonly next: string | null;
  /** When the server was asked, ms since 1970. */
  readonly at: number;
}

/** The event list, its time bar, and whether the server still answers. */
export class Events {
  listing = $state.raw<Loadable<Listing>>(LOADING);
  histogram = $state.raw<Loadable<Histogram>>(LOADING);
  range = $state<Range>('24h');
  /** Since when the server has not answered; null while it does. */
  lostAt = $state<number | null>(null);
  tries = $state(0);
  /** Another list is on its way; the one shown answers an older question. */
  asking = $state(false);

  readonly events: readonly EventItem[] = $derived(valueIn(this.listing)?.events ?? []);
  readonly complete: boolean = $derived(valueIn(this.listing)?.next === null);

  readonly #query: (now: number, whole: boolean) => URLSearchParams | null;
  /** The list is another one, or `added` came at its end. */
  readonly #changed: (added: readonly EventItem[] | null) => void;
  #asked: AbortController | null = null;
  #more: AbortController | null = null;

  constructor(
    query: (now: number, whole: boolean) => URLSearchParams | null,
    changed: (added: readonly EventItem[] | null) => void,
  ) {
    this.#query = query;
    this.#changed = changed;
  }

  /** Asks anew; what is shown stays until the answer is here. */
  async refresh(): Promise<void> {
    const now = Date.now();
    const query = this.#query(now, false);
    if (!query) return;
    this.#asked?.abort();
    this.#more?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.asking = true;
    try {
      let listing = await this.#page(query, null, asked.signal, now);
      while (listing.next && listing.events.length < DRAWN) {
        listing = joined(listing, await this.#page(query, listing.next, asked.signal, now));
      }
      this.listing = ready(listing);
      this.answered();
      this.#changed(null);
    } catch (error) {
      if (asked.signal.aborted) return;
      this.#lost(failed(error));
    }
    this.asking = false;
    await this.#loadHistogram(now, asked.signal);
  }

  /** The server speaks. */
  answered(): void {
    this.lostAt = null;
    this.tries = 0;
  }

  /** A list that is here stays, with its age; without one the failure is shown. */
  #lost(failure: ReturnType<typeof failed>): void {
    const kind = failure.failure.kind;
    if (valueIn(this.listing) && (kind === 'offline' || kind === 'timeout')) {
      this.lostAt ??= Date.now();
      this.tries += 1;
    } else {
      this.listing = failure;
      this.#changed(null);
    }
  }

  /** The next page, when the reader scrolls to the end. */
  async more(): Promise<void> {
    const listing = valueIn(this.listing);
    const query = this.#query(listing?.at ?? 0, false);
    if (!listing?.next || !query || (this.#more && !this.#more.signal.aborted)) return;
    const asked = new AbortController();
    this.#more = asked;
    try {
      const page = await this.#page(query, listing.next, asked.signal, listing.at);
      this.listing = ready(joined(listing, page));
      this.#changed(page.events);
    } catch (error) {
      if (!asked.signal.aborted) this.#lost(failed(error));
    }
    asked.abort();
  }

  async #page(
    query: URLSearchParams,
    after: string | null,
    signal: AbortSignal,
    at: number,
  ): Promise<Listing> {
    const asked = new URLSearchParams(query);
    asked.set('limit', String(PAGE));
    if (after) asked.set('after', after);
    return { ...(await api.events(asked, signal)), at };
  }

  async #loadHistogram(now: number, signal: AbortSignal): Promise<void> {
    const query = this.#query(now, true);
    if (!query) return;
    query.set('since', new Date(sinceOf(this.range, now)).toISOString());
    query.set('until', new Date(now).toISOString());
    query.set('bins', String(BINS));
    try {
      this.histogram = ready(await api.histogram(query, signal));
    } catch (error) {
      if (!signal.aborted) this.histogram = failed(error);
    }
  }

  /** Keeps asking while the page is seen, seldom while a stream tells what changes; the returned function ends it. */
  follow(told: () => boolean): () => void {
    const timer = setInterval(() => {
      const age = Date.now() - (valueIn(this.listing)?.at ?? 0);
      if (!document.hidden && (!told() || age > SELDOM_MS)) void this.refresh();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }
}

function joined(first: Listing, second: Listing): Listing {
  return { ...second, counts: first.counts, events: [...first.events, ...second.events], at: first.at };
}
