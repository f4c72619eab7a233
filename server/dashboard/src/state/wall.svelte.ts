import type { Bounds } from '../api/types.ts';
import { crumbsOf, gridTitle } from '../layers/places.ts';
import { USUAL_STAY } from './address.ts';
import type { App } from './app.svelte.ts';
import type { Place } from './filter.ts';

/** The cursor goes when nobody has touched anything for so long, ms. */
const IDLE_MS = 10_000;

const TICK_MS = 250;

export interface Stop {
  readonly place: Place;
  readonly bounds: Bounds;
  readonly title: string;
}

/** The big screen: controls go, areas come one after the other until someone touches it or leaves by Esc. */
export class Wall {
  on = $state(false);
  seconds = $state<number>(USUAL_STAY);
  paused = $state(false);
  /** Which stop is shown. */
  at = $state(0);
  stops = $state.raw<readonly Stop[]>([]);
  /** Of the time that the stop stays, 0..1. */
  passed = $state(0);
  idle = $state(false);

  readonly #app: App;
  #timer: ReturnType<typeof setInterval> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #before: { readonly place: Place; readonly layersOpen: boolean; readonly sideOpen: boolean } | null = null;

  constructor(app: App) {
    this.#app = app;
  }

  get stop(): Stop | null {
    return this.stops[this.at] ?? null;
  }

  /** `from` is where the round begins: with a grid of the area, else with the whole of it. */
  enter(seconds: number = this.seconds, from: Place | null = null): void {
    const app = this.#app;
    this.stops = stopsOf(app);
    if (this.stops.length === 0) return;
    const place = from ? { area: from.area, grid: null } : app.place;
    this.#before = { place, layersOpen: app.layersOpen, sideOpen: app.sideOpen };
    app.dialog = null;
    app.measuring = false;
    app.select.open = false;
    app.close();
    this.on = true;
    this.paused = false;
    this.seconds = seconds;
    app.setLayersOpen(false);
    app.setSideOpen(app.layout === 'wall' || app.layout === 'desk');
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    const first = from?.grid ? this.stops.findIndex((stop) => stop.place.grid === from.grid) : 0;
    this.go(Math.max(0, first));
    this.touched();
  }

  /** How long an area stays; the address says so too. */
  stay(seconds: number): void {
    this.seconds = seconds;
    this.#app.readdress();
  }

  /** As an address says: goes round with so many seconds, or not at all. */
  follow(seconds: number | null): void {
    if (seconds === null) this.#end();
    else if (!this.on) this.enter(seconds, this.#app.place);
    else this.seconds = seconds;
  }

  leave(): void {
    const place = this.#end();
    const first = this.stops[0];
    if (place && first) this.#app.drill(place, first.bounds, 'replace');
  }

  /** Everything as it was, but for the place, which is the answer. */
  #end(): Place | null {
    const before = this.#before;
    if (!this.on || !before) return null;
    clearInterval(this.#timer);
    this.on = false;
    this.#before = null;
    this.#app.setLayersOpen(before.layersOpen);
    this.#app.setSideOpen(before.sideOpen);
    return before.place;
  }

  toggle(): void {
    if (this.on) this.leave();
    else this.enter();
  }

  /** Shows a stop; past the last comes the first. */
  go(at: number): void {
    const n = this.stops.length;
    this.at = ((at % n) + n) % n;
    this.passed = 0;
    const stop = this.stop;
    if (!stop) return;
    this.#app.drill(stop.place, stop.bounds, 'replace');
    this.#app.said = stop.title;
  }

  #tick(): void {
    if (this.paused || document.hidden) return;
    this.passed += TICK_MS / 1000 / this.seconds;
    if (this.passed >= 1) this.go(this.at + 1);
  }

  /** Someone is there: the cursor comes back, and goes again when they have gone. */
  touched(): void {
    this.idle = false;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      this.idle = true;
    }, IDLE_MS);
  }

  destroy(): void {
    clearTimeout(this.#idleTimer);
    clearInterval(this.#timer);
    this.idle = false;
  }
}

/** The area one is in as a whole, then what it is made of: areas, or the grids of a community. */
function stopsOf(app: App): readonly Stop[] {
  const { areas, place, grids } = app;
  const area = crumbsOf(areas, place.area).at(-1);
  if (!area) return [];
  const whole: Stop = {
    place: { area: area.area_code, grid: null },
    bounds: area.bounds,
    title: area.name,
  };
  const below = areas.filter((other) => other.parent_code === area.area_code);
  const parts =
    below.length > 0
      ? below.map((part) => ({
          place: { area: part.area_code, grid: null },
          bounds: part.bounds,
          title: part.name,
        }))
      : grids
          .filter((grid) => grid.grid_code.startsWith(area.area_code))
          .map((grid) => ({
            place: { area: area.area_code, grid: grid.grid_code },
            bounds: grid.bounds,
            title: app.t('place.grid', { n: gridTitle(grid) }),
          }));
  return [whole, ...parts];
}
