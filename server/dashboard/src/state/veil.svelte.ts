import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { get } from '../api/client.ts';
import { failed } from './loadable.ts';

/** The ground of the area one is in: everything beside it is veiled. */
export class Veil {
  area = $state.raw<Polygon | MultiPolygon | null>(null);
  #code: string | null = null;

  /** Looks up an area's ground; without it there is no veil, and the map is as good. */
  async follow(code: string | null): Promise<void> {
    if (code === this.#code) return;
    this.#code = code;
    if (code === null) {
      this.area = null;
      return;
    }
    try {
      const path = `/ogc/collections/areas/items?f=json&limit=1&area_code=${encodeURIComponent(code)}`;
      const found = await get<FeatureCollection>(path);
      if (code !== this.#code) return;
      const geometry = found.features[0]?.geometry;
      this.area = geometry?.type === 'Polygon' || geometry?.type === 'MultiPolygon' ? geometry : null;
    } catch (error) {
      failed(error);
      if (code === this.#code) this.area = null;
    }
  }
}
