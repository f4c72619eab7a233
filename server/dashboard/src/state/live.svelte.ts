import type { EventItem } from '../api/types.ts';
import { pauseBefore } from '../layers/live.ts';

/** Changes this close together are taken as one, ms: of events, of a layer that was written. */
const EVENTS_MS = 400;
const LAYERS_MS = 2000;

/** What the stream brings; counted and gathered, so that a hundred changes ask the server once. */
export interface LiveHooks {
  /** Events changed. `missed`: so many had happened while the connection was lost. */
  readonly changed: (told: readonly EventItem[], missed: number) => Promise<void>;
  /** Other layers were written. */
  readonly written: (layers: ReadonlySet<string>) => void;
  /** The stream broke: whether the server answers otherwise is asked. */
  readonly broken: () => Promise<void>;
  /** The stream speaks again. */
  readonly back: () => void;
}

type Said = { seq?: number; event?: EventItem | null; layer?: string };

/** The server's stream of changes. While it does not flow the list asks by itself, as before there was one. */
export class Live {
  /** Whether the stream flows now; null before the first try is over. */
  flows = $state<boolean | null>(null);

  readonly #hooks: LiveHooks;
  #source: EventSource | null = null;
  #seq: number | null = null;
  #tries = 0;
  #wasBroken = false;
  #told: EventItem[] = [];
  #nTold = 0;
  #layers = new Set<string>();
  #eventsTimer: ReturnType<typeof setTimeout> | undefined;
  #layersTimer: ReturnType<typeof setTimeout> | undefined;
  #tryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(hooks: LiveHooks) {
    this.#hooks = hooks;
  }

  /** Listens until the returned function is called. */
  start(): () => void {
    this.#open();
    // The machine itself knows first when it has lost its network.
    const lost = (): void => void (this.#source && this.#broke());
    const found = (): void => this.retry();
    addEventListener('offline', lost);
    addEventListener('online', found);
    return () => {
      removeEventListener('offline', lost);
      removeEventListener('online', found);
      this.#source?.close();
      this.#source = null;
      for (const timer of [this.#eventsTimer, this.#layersTimer, this.#tryTimer]) clearTimeout(timer);
    };
  }

  /** The reader does not want to wait for the next try. */
  retry(): void {
    if (this.flows) return;
    this.#open();
  }

  #open(): void {
    clearTimeout(this.#tryTimer);
    this.#source?.close();
    const source = new EventSource(this.#seq === null ? '/api/live' : `/api/live?since=${this.#seq}`);
    this.#source = source;
    source.addEventListener('hello', (message) => this.#hello(said(message)));
    source.addEventListener('change', (message) => this.#change(said(message)));
    source.addEventListener('reset', (message) => this.#change(said(message)));
    source.addEventListener('layer', (message) => this.#layer(said(message)));
    source.addEventListener('error', () => {
      if (source === this.#source) void this.#broke();
    });
  }

  #hello({ seq }: Said): void {
    this.#seq ??= seq ?? null;
    this.#tries = 0;
    this.flows = true;
    this.#hooks.back();
    if (this.#wasBroken) this.#soon();
  }

  #change({ seq, event }: Said): void {
    if (seq !== undefined) this.#seq = seq;
    if (event) this.#told.push(event);
    this.#nTold += 1;
    this.#soon();
  }

  #layer({ layer }: Said): void {
    if (layer) this.#layers.add(layer);
    this.#layersTimer ??= setTimeout(() => {
      this.#layersTimer = undefined;
      const layers = this.#layers;
      this.#layers = new Set();
      this.#hooks.written(layers);
    }, LAYERS_MS);
  }

  /** Tells what came in, together; what was missed is told with it. */
  #soon(): void {
    this.#eventsTimer ??= setTimeout(() => {
      this.#eventsTimer = undefined;
      const [told, n, wasBroken] = [this.#told, this.#nTold, this.#wasBroken];
      this.#told = [];
      this.#nTold = 0;
      this.#wasBroken = false;
      void this.#hooks.changed(wasBroken ? [] : told, wasBroken ? n : 0);
    }, EVENTS_MS);
  }

  async #broke(): Promise<void> {
    this.#source?.close();
    this.#source = null;
    this.flows = false;
    this.#wasBroken = this.#seq !== null;
    clearTimeout(this.#tryTimer);
    this.#tries += 1;
    this.#tryTimer = setTimeout(() => this.#open(), pauseBefore(this.#tries, Math.random()));
    await this.#hooks.broken();
  }
}

function said(message: MessageEvent<string>): Said {
  return JSON.parse(message.data) as Said;
}
