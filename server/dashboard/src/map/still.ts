import workerUrl from 'virtual:map-worker';
import { Map as MapLibre, type StyleSpecification, setWorkerUrl } from 'maplibre-gl';
import type { Bounds } from '../api/types.ts';
import { ownerOf } from '../layers/legend.ts';
import { absolute } from './absolute.ts';
import { waitForFonts } from './fonts.ts';
import { type Overlay, Overlays } from './overlays.ts';
import { type Marking, SELECTION_PREFIX } from './selection.ts';

setWorkerUrl(workerUrl);

/** A map that never comes to rest is dropped all the same, ms. */
const PATIENCE_MS = 10_000;

/** What a still picture shows: a frame about a place, or the whole of a box. */
export type Frame =
  | {
      readonly kind: 'view';
      readonly lng: number;
      readonly lat: number;
      readonly zoom: number;
      readonly bearing: number;
      /** Of the part of the screen that is to be seen whole, CSS px. */
      readonly width: number;
      readonly height: number;
    }
  | { readonly kind: 'bounds'; readonly bounds: Bounds };

/** A second map, out of sight, drawn at whatever fineness paper asks for. */
export class Still {
  readonly #map: MapLibre;
  readonly #overlays: Overlays;
  readonly #box: HTMLDivElement;
  #trouble: string | null = null;

  /** `width` and `height` are CSS px, as large as the map is on paper at 96 to the inch. */
  constructor(style: StyleSpecification, width: number, height: number) {
    this.#box = document.createElement('div');
    this.#box.setAttribute('aria-hidden', 'true');
    this.#box.inert = true;
    this.#box.style.cssText = 'position:fixed;left:-100000px;top:0;pointer-events:none';
    this.#size(width, height);
    document.body.append(this.#box);
    this.#map = new MapLibre({
      container: this.#box,
      style: absolute(style),
      interactive: false,
      attributionControl: false,
      fadeDuration: 0,
      pixelRatio: 1,
      maxCanvasSize: [8192, 8192],
      canvasContextAttributes: { preserveDrawingBuffer: true, antialias: true },
      transformRequest: (url) => ({ url: new URL(url, location.href).href }),
    });
    this.#overlays = new Overlays(this.#map);
    this.#map.once('load', () => this.#overlays.restore());
    waitForFonts(this.#map);
    this.#map.on('error', (e) => {
      this.#trouble = e.error?.message ?? String(e);
    });
  }

  /** Draws the frame, `ratio` pixels to the CSS pixel. Rejects where a part of it did not come. */
  async draw(size: readonly [width: number, height: number], frame: Frame, ratio: number): Promise<void> {
    this.#trouble = null;
    const map = this.#map;
    this.#size(...size);
    map.resize();
    map.setPixelRatio(ratio);
    this.#look(size, frame);
    await new Promise<void>((resolve) => {
      map.once('idle', () => resolve());
      map.triggerRepaint();
    });
    if (this.#trouble !== null) throw new Error(this.#trouble);
  }

  #look([width, height]: readonly [number, number], frame: Frame): void {
    if (frame.kind === 'bounds') {
      const bounds = [...frame.bounds] as [number, number, number, number];
      this.#map.fitBounds(bounds, { padding: 16, duration: 0, bearing: 0, pitch: 0 });
      return;
    }
    const { lng, lat, bearing } = frame;
    const zoom = frame.zoom + Math.log2(Math.min(width / frame.width, height / frame.height));
    this.#map.jumpTo({ center: [lng, lat], zoom, bearing, pitch: 0 });
  }

  /** Another style, the same place. */
  dress(style: StyleSpecification): void {
    this.#map.setStyle(absolute(style), { diff: true });
    this.#overlays.restore();
  }

  /** Marks what is selected, as the page does. */
  mark(markings: readonly Marking[]): void {
    const map = this.#map;
    for (const id of map.getLayersOrder()) if (id.startsWith(SELECTION_PREFIX)) map.removeLayer(id);
    for (const { layer, slot } of markings) {
      const before = `slot:${slot}`;
      map.addLayer(layer, map.getLayer(before) ? before : undefined);
    }
  }

  /** Resolves when layers can be added. */
  async loaded(): Promise<void> {
    while (!this.#map.style?._loaded) await this.#map.once('styledata');
  }

  show(overlays: ReadonlyMap<string, Overlay>): void {
    for (const [name, overlay] of overlays) this.#overlays.show(name, overlay);
  }

  get canvas(): HTMLCanvasElement {
    return this.#map.getCanvas();
  }

  get view(): { zoom: number; lat: number; bearing: number } {
    return {
      zoom: this.#map.getZoom(),
      lat: this.#map.getCenter().lat,
      bearing: this.#map.getBearing(),
    };
  }

  /** What is drawn: layers of the catalogue, each with the values its legend's field takes. */
  drawn(fields: ReadonlyMap<string, string | null>): ReadonlyMap<string, ReadonlySet<string>> {
    const found = new Map<string, Set<string>>();
    for (const feature of this.#map.queryRenderedFeatures()) {
      const owner = ownerOf(feature.layer as never);
      if (owner === null) continue;
      const values = found.get(owner) ?? new Set<string>();
      const field = fields.get(owner);
      if (field) values.add(String(feature.properties[field]));
      found.set(owner, values);
    }
    return found;
  }

  #size(width: number, height: number): void {
    this.#box.style.width = `${width}px`;
    this.#box.style.height = `${height}px`;
  }

  /** Tiles that a worker still lays out ask for symbols: the map goes when it is at rest, or after a while. */
  destroy(): void {
    const waiting = setTimeout(() => gone(), PATIENCE_MS);
    const gone = (): void => {
      clearTimeout(waiting);
      this.#map.off('idle', gone);
      this.#map.remove();
      this.#box.remove();
    };
    if (this.#map.loaded()) gone();
    else this.#map.on('idle', gone);
  }
}
