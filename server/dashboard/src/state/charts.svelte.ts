import { reading, type Series, type Stats } from '../api/reading.ts';
import { CHARTS, type ChartOf, type Days } from '../layers/charts.ts';
import { failed, LOADING, type Loadable, ready } from './loadable.ts';

/** A series is asked for again after this long, ms. */
const FRESH_MS = 300_000;

type Answers = Readonly<Record<ChartOf, Loadable<Stats>>>;

const NOTHING: Answers = {
  day: LOADING,
  kind: LOADING,
  level: LOADING,
  area: LOADING,
  hour: LOADING,
  state: LOADING,
};

/** Trends and distributions of events, and the course of the indicators. */
export class Charts {
  days = $state<Days>(30);
  answers = $state.raw<Answers>(NOTHING);
  /** The course of an indicator where one is, by `name|area`. */
  series = $state.raw<ReadonlyMap<string, Loadable<Series>>>(new Map());
  readonly #seriesAt = new Map<string, number>();
  #asked: AbortController | null = null;

  /** Asks for all charts of an area; each comes when it is ready. `above`: the area whose parts are compared. */
  async load(area: string | null, above: string | null): Promise<void> {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.answers = NOTHING;
    await Promise.all(CHARTS.map((by) => this.#loadOne(by, by === 'area' ? above : area, asked.signal)));
  }

  async #loadOne(by: ChartOf, area: string | null, signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams({ by, days: String(this.days) });
    if (area) query.set('area', area);
    let answer: Loadable<Stats>;
    try {
      answer = ready(await reading.stats(query, signal));
    } catch (error) {
      if (signal.aborted) return;
      answer = failed(error);
    }
    this.answers = { ...this.answers, [by]: answer };
  }

  /** The last 30 days of an indicator; asked for when someone looks. */
  async loadSeries(name: string, area: string | null): Promise<void> {
    const key = seriesKey(name, area);
    const now = Date.now();
    if (now - (this.#seriesAt.get(key) ?? 0) < FRESH_MS) return;
    this.#seriesAt.set(key, now);
    let series: Loadable<Series>;
    try {
      series = ready(await reading.series(name, area, new AbortController().signal));
    } catch (error) {
      this.#seriesAt.delete(key);
      series = failed(error);
    }
    this.series = new Map(this.series).set(key, series);
  }
}

export function seriesKey(name: string, area: string | null): string {
  return `${name}|${area ?? ''}`;
}
