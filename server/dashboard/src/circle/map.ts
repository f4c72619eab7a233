import workerUrl from 'virtual:map-worker';
import { type Map as MapLibre, type StyleSpecification, setWorkerUrl } from 'maplibre-gl';
import type { Bounds, LngLat } from '../api/types.ts';
import { sourceFor } from '../layers/legend.ts';
import { absolute } from '../map/absolute.ts';
import { boundsOf, fly, jump, type Opening, openMap, viewOf } from '../map/camera.ts';
import { waitForFonts } from '../map/fonts.ts';
import { Overlays } from '../map/overlays.ts';
import type { View } from '../state/address.ts';
import type { Padding } from '../state/layout.ts';
import { CLASS } from './dress.ts';
import { type Handle, type HandleEvents, Handles } from './handles.ts';

setWorkerUrl(workerUrl);

export interface CircleMapEvents extends HandleEvents {
  readonly settled: (view: View, bounds: Bounds) => void;
  readonly moved: (view: View) => void;
  readonly clicked: (at: LngLat) => void;
  readonly failed: (message: string) => void;
  readonly busy: () => void;
  readonly drawn: () => void;
}

export interface CircleMapStart extends Opening {
  readonly style: StyleSpecification;
}

/** A class for each of many features of one layer. */
export interface Classes {
  readonly fid: readonly number[];
  readonly k: ArrayLike<number>;
}

/** The map of the life circle: MapLibre's map, told in classes, overlays and handles. */
export class CircleMap {
  readonly #map: MapLibre;
  readonly overlays: Overlays;
  readonly handles: Handles;
  readonly #still: boolean;
  #padding: Padding;
  #style: StyleSpecification;
  /** Per layer: the class that each feature's state holds now. */
  readonly #told = new Map<string, Map<number, number>>();

  constructor(start: CircleMapStart, events: CircleMapEvents) {
    this.#still = start.still;
    this.#padding = start.padding;
    this.#style = absolute(start.style);
    this.#map = openMap(start, this.#style);
    this.overlays = new Overlays(this.#map);
    this.handles = new Handles(this.#map, events);
    this.#map.once('load', () => this.overlays.restore());
    waitForFonts(this.#map);
    this.#listen(events);
  }

  #listen(events: CircleMapEvents): void {
    const map = this.#map;
    map.on('load', () => events.settled(this.view, this.bounds));
    map.on('move', () => events.moved(this.view));
    map.on('moveend', () => events.settled(this.view, this.bounds));
    map.on('click', (e) => {
      // Handles lie on the map and are clicked for themselves.
      if (e.originalEvent.target === map.getCanvas()) events.clicked([e.lngLat.lng, e.lngLat.lat]);
    });
    map.getCanvas().addEventListener('keydown', (e) => {
      if (e.key !== 'Enter') return;
      const { lng, lat } = map.getCenter();
      events.clicked([lng, lat]);
    });
    map.on('error', (e) => events.failed(e.error?.message ?? String(e)));
    map.on('movestart', () => events.busy());
    map.on('dataloading', () => events.busy());
    map.on('idle', () => events.drawn());
  }

  get view(): View {
    return viewOf(this.#map);
  }

  get bounds(): Bounds {
    return boundsOf(this.#map);
  }

  get canvas(): HTMLCanvasElement {
    return this.#map.getCanvas();
  }

  /** Where a place is on the map, px from its upper left corner. */
  pixelOf(at: LngLat): readonly [x: number, y: number] {
    const { x, y } = this.#map.project([at[0], at[1]]);
    return [x, y];
  }

  /** Another style: theme or language changed. Classes are told anew. */
  replace(style: StyleSpecification): void {
    this.#style = absolute(style);
    this.#map.setStyle(this.#style, { diff: true });
    this.overlays.restore();
    const told = [...this.#told];
    this.#told.clear();
    for (const [layer, known] of told) {
      this.classes(layer, { fid: [...known.keys()], k: [...known.values()] });
    }
  }

  /** Colours features: only those whose class is another now are told. Those not named lose theirs. */
  classes(layer: string, { fid, k }: Classes): void {
    if (!this.#map.style?._loaded) {
      this.#map.once('styledata', () => this.classes(layer, { fid, k }));
      return;
    }
    const source = sourceFor(this.#style.layers, layer);
    if (source === null) return;
    const before = this.#told.get(layer) ?? new Map<number, number>();
    const now = new Map<number, number>();
    for (let i = 0; i < fid.length; i += 1) now.set(fid[i] ?? 0, k[i] ?? 0);
    for (const [id, klass] of now) {
      if (before.get(id) !== klass)
        this.#map.setFeatureState({ source, sourceLayer: layer, id }, { [CLASS]: klass });
    }
    for (const id of before.keys()) {
      if (!now.has(id)) this.#map.removeFeatureState({ source, sourceLayer: layer, id }, CLASS);
    }
    this.#told.set(layer, now);
  }

  setHandles(handles: readonly Handle[]): void {
    this.handles.show(handles);
  }

  setPadding(padding: Padding): void {
    this.#padding = padding;
  }

  setCursor(tool: boolean): void {
    this.#map.getCanvas().style.cursor = tool ? 'crosshair' : '';
  }

  resize(): void {
    this.#map.resize();
  }

  goTo(bounds: Bounds, maxZoom: number): void {
    fly(this.#map, bounds, maxZoom, this.#padding, this.#still);
  }

  jump(view: View): void {
    jump(this.#map, view);
  }

  zoomBy(steps: number): void {
    this.#map.easeTo({ zoom: this.#map.getZoom() + steps, duration: this.#still ? 0 : 200 });
  }

  north(): void {
    this.#map.easeTo({ bearing: 0, pitch: 0, duration: this.#still ? 0 : 200 });
  }

  destroy(): void {
    this.#map.remove();
  }
}
