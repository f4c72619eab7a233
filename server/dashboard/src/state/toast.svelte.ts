/** How long a toast stays, ms. */
const STAYS_MS = 6000;

/** A short sentence at the foot of the map, with at most one thing to do about it. */
export interface Toast {
  readonly text: string;
  readonly tone: 'ok' | 'bad' | 'plain';
  readonly action: { readonly label: string; readonly act: () => void } | null;
}

/** One toast at a time: the next takes the place of the last. */
export class Toasts {
  shown = $state.raw<Toast | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  show(toast: Partial<Toast> & { text: string }, staysMs = STAYS_MS): void {
    clearTimeout(this.#timer);
    this.shown = { tone: 'ok', action: null, ...toast };
    this.#timer = setTimeout(() => this.hide(), staysMs);
  }

  /** Does what the toast offers; whether it offered anything. */
  act(): boolean {
    const action = this.shown?.action;
    if (!action) return false;
    this.hide();
    action.act();
    return true;
  }

  hide(): void {
    clearTimeout(this.#timer);
    this.shown = null;
  }
}
