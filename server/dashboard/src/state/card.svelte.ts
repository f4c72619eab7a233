import { type CardAnswer, reading } from '../api/reading.ts';
import type { Selection } from './address.ts';
import { failed, LOADING, type Loadable, ready } from './loadable.ts';

/** What the server says of the selected thing. */
export class Card {
  shown = $state.raw<Loadable<CardAnswer>>(LOADING);

  readonly #tell: (title: string) => void;
  #asked: AbortController | null = null;

  constructor(tell: (title: string) => void) {
    this.#tell = tell;
  }

  /** Quietly: the same thing again; its card stays until the new one is here, and nobody is told. */
  async load(selection: Selection, quietly = false): Promise<void> {
    this.abort();
    const asked = new AbortController();
    this.#asked = asked;
    if (!quietly) this.shown = LOADING;
    try {
      const card = await reading.card(selection.layer, selection.fid, asked.signal);
      this.shown = ready(card);
      if (!quietly) this.#tell(card.title ?? '');
    } catch (error) {
      if (!asked.signal.aborted) this.shown = failed(error);
    }
  }

  abort(): void {
    this.#asked?.abort();
  }
}
