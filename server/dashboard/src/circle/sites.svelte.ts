import type { LngLat } from '../api/types.ts';
import { failed, type Loadable, ready, valueIn } from '../state/loadable.ts';
import { circleApi, type Subject } from './api.ts';
import type { Duel, Model, Site, Siting } from './types.ts';

/** Where the next facilities should go: asked when the reader wants it, for it may take seconds. */
export class Sites {
  n = $state(1);
  model = $state<Model>('mclp');
  found = $state.raw<Loadable<Siting> | null>(null);
  /** Two places head to head, once asked. */
  duel = $state.raw<Loadable<Duel> | null>(null);
  readonly #subject: () => Subject | null;
  #asked: AbortController | null = null;

  constructor(subject: () => Subject | null) {
    this.#subject = subject;
  }

  async ask(): Promise<void> {
    const subject = this.#subject();
    if (!subject) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.found = { state: 'loading' };
    try {
      this.found = ready(await circleApi.siting(subject, this.n, this.model, asked.signal));
    } catch (error) {
      if (!asked.signal.aborted) this.found = failed(error);
    }
  }

  /** Those that were chosen, then the best others. */
  get all(): readonly Site[] {
    const found = this.found ? valueIn(this.found) : null;
    return found ? [...found.sites, ...found.alternatives] : [];
  }

  async compare(a: LngLat, b: LngLat): Promise<void> {
    const subject = this.#subject();
    if (!subject) return;
    this.duel = { state: 'loading' };
    try {
      this.duel = ready(await circleApi.duel(subject, a, b));
    } catch (error) {
      this.duel = failed(error);
    }
  }

  forget(): void {
    this.#asked?.abort();
    this.found = null;
    this.duel = null;
  }
}
