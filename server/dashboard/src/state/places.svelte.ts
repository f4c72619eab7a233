import { api } from '../api/client.ts';
import type { Area, Grid } from '../api/types.ts';
import type { Place } from './filter.ts';
import { failed } from './loadable.ts';

/** The areas there are, and the grids of the one that one is in. */
export class Places {
  areas = $state.raw<readonly Area[]>([]);
  grids = $state.raw<readonly Grid[]>([]);

  async load(place: Place): Promise<void> {
    try {
      this.areas = await api.areas();
      await this.loadGrids(place);
    } catch (error) {
      failed(error);
      this.areas = [];
    }
  }

  /** The grids of the area one is in, or of the only community there is. */
  async loadGrids(place: Place): Promise<void> {
    const area = place.area ?? this.areas.findLast((a) => a.level === 'community')?.area_code;
    this.grids = area ? await api.grids(area) : [];
  }
}
