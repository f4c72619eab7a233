import type { Map as MapLibre } from 'maplibre-gl';
import { TerraDraw, TerraDrawFreehandMode, TerraDrawPolygonMode, TerraDrawRectangleMode } from 'terra-draw';
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter';
import type { LngLat } from '../api/types.ts';

/** How a surface is drawn: two corners, corner by corner, or with the pointer held down. */
export type DrawKind = 'box' | 'polygon' | 'lasso';

const MODES: Readonly<Record<DrawKind, string>> = { box: 'rectangle', polygon: 'polygon', lasso: 'freehand' };

/** One surface that the reader draws; a new one takes the place of the last. Loaded when it is first asked for. */
export class Drawing {
  readonly #map: MapLibre;
  readonly #colour: string;
  readonly #drawn: (ring: readonly LngLat[]) => void;
  #tool: TerraDraw | null = null;
  #kind: DrawKind | null = null;
  #ring: readonly LngLat[] | null = null;

  constructor(map: MapLibre, colour: string, drawn: (ring: readonly LngLat[]) => void) {
    this.#map = map;
    this.#colour = colour;
    this.#drawn = drawn;
    this.#start();
  }

  /** Begins a new surface. */
  begin(kind: DrawKind): void {
    this.#kind = kind;
    this.#ring = null;
    this.#tool?.clear();
    this.#tool?.setMode(MODES[kind]);
  }

  /** Shows a surface that was not drawn by hand. */
  show(ring: readonly LngLat[]): void {
    this.#kind = null;
    this.#ring = ring;
    this.#tool?.clear();
    this.#tool?.setMode('static');
    this.#put();
  }

  /** The map is about to forget what it holds: another style comes. */
  pause(): void {
    this.#tool?.stop();
    this.#tool = null;
  }

  resume(): void {
    if (!this.#map.style._loaded) {
      this.#map.once('styledata', () => this.resume());
      return;
    }
    this.#start();
    if (this.#ring) this.#put();
    else if (this.#kind) this.#tool?.setMode(MODES[this.#kind]);
  }

  stop(): void {
    this.pause();
  }

  #start(): void {
    const style = {
      fillColor: this.#colour as `#${string}`,
      fillOpacity: 0.14,
      outlineColor: this.#colour as `#${string}`,
      outlineWidth: 3,
    };
    const tool = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.#map, prefixId: 'onemap-draw' }),
      modes: [
        new TerraDrawRectangleMode({ styles: style, drawInteraction: 'click-move-or-drag' }),
        new TerraDrawPolygonMode({ styles: style }),
        new TerraDrawFreehandMode({ styles: style, drawInteraction: 'click-move-or-drag' }),
      ],
    });
    tool.on('finish', (id) => {
      const geometry = tool.getSnapshotFeature(id)?.geometry;
      if (geometry?.type !== 'Polygon') return;
      this.#ring = (geometry.coordinates[0] ?? []).slice(0, -1).map(([lng = 0, lat = 0]) => [lng, lat]);
      // After this event the mode still tidies up; then the surface stands, and clicks mean the map again.
      setTimeout(() => this.#tool?.setMode('static'));
      this.#drawn(this.#ring);
    });
    tool.start();
    this.#tool = tool;
  }

  #put(): void {
    // No more digits than the tool takes.
    const ring = (this.#ring ?? []).map(([lng, lat]) => [Number(lng.toFixed(7)), Number(lat.toFixed(7))]);
    const first = ring[0];
    if (!first) return;
    this.#tool?.addFeatures([
      {
        type: 'Feature',
        properties: { mode: 'polygon' },
        geometry: { type: 'Polygon', coordinates: [[...ring, first]] },
      },
    ]);
  }
}
