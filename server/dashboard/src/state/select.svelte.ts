import { get } from '../api/client.ts';
import type { Bounds, Layer, LngLat, Value } from '../api/types.ts';
import { EVENTS } from '../layers/events.ts';
import type { Drawing, DrawKind } from '../map/draw.ts';
import { ringArea } from '../map/measure.ts';
import type { App } from './app.svelte.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from './loadable.ts';

export interface SelectedItem {
  readonly fid: number;
  readonly title: string | null;
  readonly properties: Readonly<Record<string, Value>>;
  readonly point: LngLat;
}

/** What of one layer lies in the surface. */
export interface Selected {
  readonly n: number;
  readonly exact: boolean;
  readonly households: number | null;
  readonly persons: number | null;
  readonly features: readonly SelectedItem[];
  readonly next: string | null;
}

export const FORMATS = ['csv', 'xlsx', 'geojson'] as const;
export type Format = (typeof FORMATS)[number];

/** Rows listed at once for a layer; the export holds all. */
const LISTED = 100;

/** Points of a hand-drawn line that are told to the server. */
const MOST_POINTS = 400;

/** The layer whose sums stand at the head. */
export const HOMES = 'buildings';

/** A surface on the map, and what lies in it, layer by layer. */
export class Select {
  open = $state(false);
  kind = $state<DrawKind | 'view'>('box');
  ring = $state.raw<readonly LngLat[] | null>(null);
  found = $state.raw<ReadonlyMap<string, Loadable<Selected>>>(new Map());

  readonly #app: App;
  #drawing: Drawing | null = null;
  #asked: AbortController | null = null;
  #opened = 0;

  constructor(app: App) {
    this.#app = app;
  }

  get area_m2(): number {
    return this.ring ? ringArea(this.ring) : 0;
  }

  /** Households and persons of the buildings inside. */
  get homes(): Selected | null {
    const homes = this.found.get(HOMES);
    return homes ? valueIn(homes) : null;
  }

  /** Opens the tool and fetches what it needs. */
  async start(colour: string): Promise<void> {
    this.#opened += 1;
    const opened = this.#opened;
    this.#app.startDrawing({ add: () => {}, end: () => {} });
    const drawing = await this.#app.map?.drawing(colour, (ring) => this.#drawn(ring));
    if (!drawing) return;
    if (opened !== this.#opened) {
      this.#app.map?.endDrawing();
      return;
    }
    this.#drawing = drawing;
    this.draw(this.kind);
  }

  /** Begins a surface; the last one goes. */
  draw(kind: DrawKind | 'view'): void {
    this.kind = kind;
    this.#forget();
    if (kind === 'view') {
      const { bounds } = this.#app;
      if (!bounds) return;
      const ring = ringOf(bounds);
      this.#drawing?.show(ring);
      this.#drawn(ring);
      return;
    }
    this.#app.startDrawing({ add: () => {}, end: () => {} });
    this.#drawing?.begin(kind);
  }

  end(): void {
    this.#opened += 1;
    this.#forget();
    this.#drawing = null;
    this.#app.map?.endDrawing();
    this.#app.stopDrawing();
  }

  #forget(): void {
    this.#asked?.abort();
    this.ring = null;
    this.found = new Map();
  }

  #drawn(ring: readonly LngLat[]): void {
    this.ring = thinned(ring, MOST_POINTS);
    // Clicks open cards again.
    this.#app.stopDrawing();
    void this.ask();
  }

  /** The layers asked about: what the reader has switched on, and homes for their sums. */
  get layers(): readonly Layer[] {
    const { tree } = this.#app;
    return tree.flatMap((group) =>
      group.rows
        .filter((row) => row.layer.allowed && (row.on || row.layer.name === HOMES))
        .map((row) => row.layer),
    );
  }

  /** What lies in the surface, each layer by itself, so that one that fails does not hide the others. */
  async ask(): Promise<void> {
    if (!this.ring) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const { layers } = this;
    this.found = new Map(layers.map((layer) => [layer.name, LOADING]));
    await Promise.all(layers.map((layer) => this.#askLayer(layer.name, asked.signal)));
    if (asked.signal.aborted) return;
    const app = this.#app;
    const n = layers.filter((layer) => (valueIn(this.found.get(layer.name) ?? LOADING)?.n ?? 0) > 0).length;
    app.said = app.t('select.said', { n });
  }

  async #askLayer(name: string, signal: AbortSignal): Promise<void> {
    const query = `${this.#meant(name)}&limit=${LISTED}`;
    let answer: Loadable<Selected>;
    try {
      answer = ready(await get<Selected>(`/api/select/${encodeURIComponent(name)}?${query}`, signal));
    } catch (error) {
      if (signal.aborted) return;
      answer = failed(error);
    }
    if (!signal.aborted) this.found = new Map(this.found).set(name, answer);
  }

  /** The list shows other events now: those inside are asked for again. */
  followList(): void {
    const asked = this.#asked;
    if (this.ring && asked && this.found.has(EVENTS)) void this.#askLayer(EVENTS, asked.signal);
  }

  /** The surface; of events those that the list shows, so that both always agree. */
  #meant(name: string): string {
    const ground = `polygon=${polygonText(this.ring ?? [])}`;
    if (name !== EVENTS) return ground;
    const listed = this.#app.listQuery();
    return listed ? `${ground}&listed=true&${listed}` : ground;
  }

  /** Where a layer's rows inside the surface are had as a file. */
  exportUrl(name: string, format: Format): string {
    return `/api/export/${encodeURIComponent(name)}?format=${format}&${this.#meant(name)}`;
  }
}

/** `lon,lat;lon,lat;…` */
export function polygonText(ring: readonly LngLat[]): string {
  return ring.map(([lng, lat]) => `${lng.toFixed(6)},${lat.toFixed(6)}`).join(';');
}

function ringOf([west, south, east, north]: Bounds): readonly LngLat[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ];
}

/** Every n-th point, so that at most so many are left. */
export function thinned(ring: readonly LngLat[], most: number): readonly LngLat[] {
  const step = Math.ceil(ring.length / most);
  return step <= 1 ? ring : ring.filter((_, i) => i % step === 0);
}
