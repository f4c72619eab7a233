import type { FeatureCollection } from 'geojson';
import { GeoJSONSource, type LayerSpecification, type Map as MapLibre } from 'maplibre-gl';

/** The beginning of the names of sources and layers that lie over the style: heat, routes, a camera's ground. */
const PREFIX = 'onemap-over';

/** Places of the draw order (tiles/styles/order.json) where something may be laid in. */
export type Slot = 'choropleth' | 'hatches' | 'area-lines' | 'routes' | 'camera-sectors' | 'selection';

/** A style layer without its names: the overlay gives it a source and an id. */
export type Paint = LayerSpecification extends infer L
  ? L extends { source: string }
    ? Omit<L, 'id' | 'source'> & { readonly name: string; readonly slot: Slot }
    : never
  : never;

/** Something drawn over the map that no tile holds. */
export interface Overlay {
  readonly data: FeatureCollection;
  readonly paints: readonly Paint[];
}

/** Overlays by name; they come back by themselves when the style is replaced. */
export class Overlays {
  readonly #map: MapLibre;
  readonly #shown = new Map<string, Overlay>();

  constructor(map: MapLibre) {
    this.#map = map;
  }

  /** What is drawn now: a print draws the same. */
  get shown(): ReadonlyMap<string, Overlay> {
    return this.#shown;
  }

  /** Draws an overlay, or takes it away. New data on the same paints only moves the data. */
  show(name: string, overlay: Overlay | null): void {
    const before = this.#shown.get(name);
    if (!overlay && !before) return;
    if (overlay) this.#shown.set(name, overlay);
    else this.#shown.delete(name);
    if (!this.#map.style?._loaded) return;
    const source = this.#map.getSource(sourceOf(name));
    const same = overlay && before && JSON.stringify(before.paints) === JSON.stringify(overlay.paints);
    if (same && source instanceof GeoJSONSource) {
      void source.setData(overlay.data);
      return;
    }
    this.#remove(name);
    if (overlay) this.#add(name, overlay);
  }

  /** After another style: the map has forgotten them. */
  restore(): void {
    if (!this.#map.style?._loaded) {
      this.#map.once('styledata', () => this.restore());
      return;
    }
    for (const [name, overlay] of this.#shown) {
      this.#remove(name);
      this.#add(name, overlay);
    }
  }

  #add(name: string, overlay: Overlay): void {
    const source = sourceOf(name);
    this.#map.addSource(source, { type: 'geojson', data: overlay.data });
    for (const { name: part, slot, ...paint } of overlay.paints) {
      const before = `slot:${slot}`;
      const layer = { ...paint, id: `${source}-${part}`, source } as LayerSpecification;
      this.#map.addLayer(layer, this.#map.getLayer(before) ? before : undefined);
    }
  }

  #remove(name: string): void {
    const source = sourceOf(name);
    for (const id of this.#map.getLayersOrder()) if (id.startsWith(`${source}-`)) this.#map.removeLayer(id);
    if (this.#map.getSource(source)) this.#map.removeSource(source);
  }
}

function sourceOf(name: string): string {
  return `${PREFIX}:${name}`;
}
