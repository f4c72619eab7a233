import { get } from '../api/client.ts';
import type { Place } from './filter.ts';
import { failed, LOADING, type Loadable, ready } from './loadable.ts';
import type { Selected, SelectedItem } from './select.svelte.ts';

export const RESPONDERS = 'responders';

/** Posts listed at once; a community has some sixty. */
const LISTED = 200;

/** The area narrows, not the view: the number agrees with the indicator's. */
const EVERYWHERE = 'bbox=-180,-85,180,85';

export interface OnDuty {
  readonly n: number;
  readonly posts: readonly SelectedItem[];
}

/** Who is on duty where one is: the posts that the map shows there. Asked for while somebody looks. */
export class Force {
  onDuty = $state.raw<Loadable<OnDuty>>(LOADING);

  readonly #where: () => Place;
  #asked: AbortController | null = null;
  #seen = false;

  constructor(where: () => Place) {
    this.#where = where;
  }

  /** Somebody looks, until the returned function is called. */
  look(): () => void {
    this.#seen = true;
    void this.refresh();
    return () => {
      this.#seen = false;
      this.#asked?.abort();
    };
  }

  /** Asks anew; the old answer stays until the new one is here. */
  async refresh(): Promise<void> {
    if (!this.#seen) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const place = this.#where();
    const query = `${EVERYWHERE}&limit=${LISTED}${place.area ? `&area=${place.area}` : ''}`;
    try {
      const found = await get<Selected>(`/api/select/${RESPONDERS}?${query}`, asked.signal);
      const posts = place.grid
        ? found.features.filter(({ properties }) => properties.grid_code === place.grid)
        : found.features;
      this.onDuty = ready({ n: place.grid ? posts.length : found.n, posts });
    } catch (error) {
      if (asked.signal.aborted) return;
      const failure = failed(error);
      if (this.onDuty.state !== 'ready') this.onDuty = failure;
    }
  }
}
