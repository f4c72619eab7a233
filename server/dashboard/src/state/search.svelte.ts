import { reading, type SearchAnswer, type SearchHit } from '../api/reading.ts';
import type { LngLat } from '../api/types.ts';
import { hitsOf, isQuestion, readRecent, stepped, withRecent } from '../layers/found.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from './loadable.ts';
import { remember, rememberedText } from './remember.ts';

/** After the last letter, so that a word is not asked letter by letter, ms. */
const PAUSE_MS = 120;

/** The search box: what is asked, what was found, which line the arrows stand on. */
export class Search {
  q = $state('');
  open = $state(false);
  /** On a phone: whether the box covers the top bar. */
  wide = $state(false);
  answer = $state.raw<Loadable<SearchAnswer> | null>(null);
  active = $state(-1);
  /** How often the box was asked to take the focus. */
  asksFocus = $state(0);
  recent = $state.raw<readonly SearchHit[]>(readRecent(rememberedText('recent')));

  /** Whether what is typed is long enough to be asked. */
  readonly asking: boolean = $derived(isQuestion(this.q));
  /** The lines in the order of the arrows: what was found, or what was opened before. */
  readonly lines: readonly SearchHit[] = $derived(this.#lines());

  readonly #covers: () => boolean;
  readonly #near: () => LngLat | null;
  readonly #opened: (hit: SearchHit) => void;
  #asked: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `covers`: the box has no room of its own; `near`: where the reader looks; `opened`: a line was chosen. */
  constructor(covers: () => boolean, near: () => LngLat | null, opened: (hit: SearchHit) => void) {
    this.#covers = covers;
    this.#near = near;
    this.#opened = opened;
  }

  #lines(): readonly SearchHit[] {
    if (!this.asking) return this.q.trim() === '' ? this.recent : [];
    const answer = this.answer ? valueIn(this.answer) : null;
    return answer ? hitsOf(answer) : [];
  }

  typed(q: string): void {
    this.q = q;
    this.open = true;
    this.active = -1;
    clearTimeout(this.#timer);
    if (!this.asking) {
      this.#asked?.abort();
      this.answer = null;
      return;
    }
    if (this.answer?.state !== 'ready') this.answer = LOADING;
    this.#timer = setTimeout(() => void this.ask(), PAUSE_MS);
  }

  /** Asks what stands in the box now. */
  async ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    try {
      const answer = await reading.search(this.q.trim(), this.#near(), asked.signal);
      this.answer = ready(answer);
    } catch (error) {
      if (!asked.signal.aborted) this.answer = failed(error);
    }
  }

  step(step: 1 | -1): void {
    this.open = true;
    this.active = stepped(this.active, step, this.lines.length);
  }

  /** Enter: the line the arrows stand on, else the best. An answer on its way is waited for. */
  async enter(): Promise<void> {
    if (this.asking && this.active < 0 && this.answer && valueIn(this.answer)?.q !== this.q.trim())
      await this.ask();
    const hit = this.lines[Math.max(0, this.active)];
    if (hit && (this.asking || this.active >= 0)) this.choose(hit);
  }

  choose(hit: SearchHit): void {
    this.recent = withRecent(this.recent, hit);
    remember('recent', JSON.stringify(this.recent));
    this.close();
    this.q = '';
    this.answer = null;
    this.#opened(hit);
  }

  /** The key `/`, or the phone's icon. */
  focus(): void {
    this.open = true;
    this.wide = this.#covers();
    this.asksFocus += 1;
  }

  close(): void {
    this.open = false;
    this.wide = false;
    this.active = -1;
  }
}
