import { type Heat as HeatCells, reading } from '../api/reading.ts';
import type { Bounds } from '../api/types.ts';
import { aroundOf, heatQuery, inside, resolutionOf } from '../layers/heat.ts';
import type { EventFilter, Place } from './filter.ts';
import { failed, type Loadable, ready } from './loadable.ts';

/** What the heat counts: the list's filter, where one is, the levels switched on. */
export interface HeatAsk {
  readonly filter: EventFilter;
  readonly place: Place;
  readonly levels: readonly number[];
  readonly view: Bounds;
  readonly zoom: number;
}

/** Hexagons of events about the view; kept while they still cover it, so that the colours stand still. */
export class Heat {
  cells = $state.raw<Loadable<HeatCells> | null>(null);
  #covers: { readonly key: string; readonly box: Bounds; readonly events: unknown } | null = null;
  #asked: AbortController | null = null;
  #last: HeatAsk | null = null;

  /** Looks whether what is here still fits, and asks anew where not. `events`: the list as it stands now. */
  async follow(ask: HeatAsk, events: unknown): Promise<void> {
    this.#last = ask;
    const key = heatQuery(ask, 0).toString();
    const covers = this.#covers;
    if (covers?.key === key && covers.events === events && inside(ask.view, covers.box)) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const box = aroundOf(ask.view);
    const query = heatQuery(ask, Date.now());
    query.set('bbox', box.map((x) => x.toFixed(6)).join(','));
    query.set('resolution', String(resolutionOf(ask.zoom)));
    this.#covers = { key, box, events };
    try {
      this.cells = ready(await reading.heat(query, asked.signal));
    } catch (error) {
      if (asked.signal.aborted) return;
      this.#covers = null;
      this.cells = failed(error);
    }
  }

  retry(): void {
    if (this.#last) void this.follow(this.#last, null);
  }

  /** The layer was switched off. */
  end(): void {
    this.#asked?.abort();
    this.#covers = null;
    if (this.cells !== null) this.cells = null;
  }
}
