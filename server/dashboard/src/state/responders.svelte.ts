import { Failure } from '../api/client.ts';
import { type Candidate, type Dispatched, type Nearest, reading } from '../api/reading.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from './loadable.ts';

/** How long `确认派遣` waits for the second click, and how long a dispatch can be taken back, ms. */
export const ARMED_MS = 4000;
export const UNDO_MS = 10_000;

/** What the page does when someone was sent, called back, or the server said no. */
export interface DispatchEvents {
  readonly sent: (who: Candidate, undo: () => void) => void;
  readonly undone: (who: Candidate) => void;
  readonly refused: (why: Failure) => void;
}

/** Who can go to the selected event, and sending one of them. */
export class Responders {
  nearest = $state.raw<Loadable<Nearest> | null>(null);
  chosen = $state(0);
  /** The button asks once more: the next press sends. */
  armed = $state(false);
  sending = $state(false);
  /** How often the keyboard asked for the button. */
  asksFocus = $state(0);
  eventNo = $state<string | null>(null);

  readonly who: Candidate | null = $derived(
    (this.nearest && valueIn(this.nearest)?.candidates[this.chosen]) ?? null,
  );

  readonly #events: DispatchEvents;
  #asked: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: DispatchEvents) {
    this.#events = events;
  }

  /** Looks for those who can go to another event; null when none is selected. */
  follow(eventNo: string | null): void {
    if (eventNo === this.eventNo) return;
    this.disarm();
    this.#asked?.abort();
    this.eventNo = eventNo;
    this.chosen = 0;
    this.nearest = eventNo ? LOADING : null;
    if (eventNo) void this.refresh();
  }

  /** They have moved: asked anew, the old answer stays until the new one is here. */
  async refresh(): Promise<void> {
    const { eventNo } = this;
    if (!eventNo || this.armed || this.sending) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const chosen = this.who?.id;
    try {
      const nearest = await reading.responders(eventNo, asked.signal);
      if (this.armed) return;
      this.nearest = ready(nearest);
      // Who was chosen stays chosen where still listed.
      const at = this.chosen > 0 ? nearest.candidates.findIndex((one) => one.id === chosen) : 0;
      this.chosen = Math.max(0, at);
    } catch (error) {
      if (asked.signal.aborted) return;
      const failure = failed(error);
      if (this.nearest?.state !== 'ready') this.nearest = failure;
    }
  }

  choose(at: number): void {
    this.disarm();
    this.chosen = at;
  }

  /** First press: the button asks. */
  arm(byKey = false): void {
    if (!this.who || this.sending) return;
    this.armed = true;
    if (byKey) this.asksFocus += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.disarm(), ARMED_MS);
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.armed = false;
  }

  /** Second press: sends. */
  async confirm(): Promise<void> {
    const { who, eventNo } = this;
    if (!this.armed || !who || !eventNo || this.sending) return;
    this.disarm();
    this.sending = true;
    try {
      const done = await reading.dispatch(eventNo, who.id, clientId());
      this.#events.sent(who, () => void this.#undo(eventNo, done, who));
    } catch (error) {
      this.#refused(error);
    } finally {
      this.sending = false;
    }
  }

  async #undo(eventNo: string, done: Dispatched, who: Candidate): Promise<void> {
    try {
      await reading.undispatch(eventNo, done.action_seq);
      this.#events.undone(who);
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    this.#events.refused(error);
  }
}

/** A name for this press, so that one that is sent twice counts once. Also where the page is not served securely. */
function clientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
