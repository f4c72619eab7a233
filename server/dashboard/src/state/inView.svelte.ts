import { api } from '../api/client.ts';
import type { Bounds, Count } from '../api/types.ts';
import { failed } from './loadable.ts';

/** How much of each layer lies in the map's view. */
export class InView {
  counts = $state.raw<Readonly<Record<string, Count>> | null>(null);
  failed = $state(false);

  #asked: AbortController | null = null;

  /** Only the last question counts. */
  async load(bounds: Bounds | null): Promise<void> {
    if (!bounds) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    try {
      this.counts = (await api.counts(bounds, asked.signal)).counts;
      this.failed = false;
    } catch (error) {
      if (asked.signal.aborted) return;
      failed(error);
      this.counts = null;
      this.failed = true;
    }
  }
}
