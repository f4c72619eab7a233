import type { SearchHit } from '../api/reading.ts';
import type { EventItem } from '../api/types.ts';
import { EVENTS } from '../layers/events.ts';
import { withLayer } from '../layers/look.ts';
import type { App } from './app.svelte.ts';
import { valueIn } from './loadable.ts';

/** The closest that a flight to a small thing comes. */
export const CLOSEST = 17.5;

/** An event is seen among its streets, not from above. */
const AMONG_STREETS = 15.5;

/** Ways to a thing that is named somewhere: it is opened, and brought into sight. */
export class Going {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  toEvent(event: EventItem): void {
    const app = this.#app;
    void app.open({ layer: EVENTS, fid: event.fid });
    const maxZoom = Math.max(app.view?.zoom ?? 0, AMONG_STREETS);
    app.map?.goTo({ bounds: [event.lon, event.lat, event.lon, event.lat], maxZoom });
  }

  /** The next event of the list after the selected one, or the one before. */
  stepEvent(step: 1 | -1): void {
    const { selection } = this.#app;
    const { events } = this.#app.events;
    const at = selection?.layer === EVENTS ? events.findIndex((e) => e.fid === selection.fid) : -1;
    const next = events[at < 0 ? (step > 0 ? 0 : events.length - 1) : at + step];
    if (next) this.toEvent(next);
  }

  /** What was found; a layer that is off is switched on, for it is meant. */
  toFound(hit: SearchHit): void {
    this.#switchOn(hit.layer);
    void this.#app.open({ layer: hit.layer, fid: hit.fid });
    this.#app.map?.goTo({ bounds: hit.bounds, maxZoom: CLOSEST });
  }

  /** What another card names. */
  async toFid(layer: string, fid: number): Promise<void> {
    const app = this.#app;
    app.highlighted = null;
    this.#switchOn(layer);
    await app.open({ layer, fid });
    const card = valueIn(app.card);
    if (card?.point && card.layer === layer && card.fid === fid) app.map?.reveal(card.point);
  }

  toSelected(): void {
    const feature = valueIn(this.#app.card);
    const [lng, lat] = feature?.point ?? [null, null];
    const bounds = feature?.bounds ?? (lng !== null && lat !== null ? ([lng, lat, lng, lat] as const) : null);
    if (bounds) this.#app.map?.goTo({ bounds, maxZoom: CLOSEST });
  }

  /** The whole area. */
  home(): void {
    this.#app.map?.goTo({ bounds: this.#app.home, maxZoom: CLOSEST });
  }

  #switchOn(layer: string): void {
    const { look } = this.#app;
    if (look && !look.on.has(layer) && this.#app.layerOf(layer)?.allowed)
      this.#app.setLook(withLayer(look, layer, true));
  }
}
