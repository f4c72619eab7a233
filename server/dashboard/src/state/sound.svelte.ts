import type { EventItem } from '../api/types.ts';
import { remember, remembered } from './remember.ts';

/** An event older than this when it is first seen is no news, ms. */
const FRESH_MS = 10 * 60_000;

/** Two short tones when an event of the highest level comes; silent until the reader asks for it. */
export class Sound {
  on = $state(remembered('sound', ['on', 'off']) === 'on');
  readonly #seen = new Set<string>();
  #audio: AudioContext | null = null;

  toggle(): void {
    this.on = !this.on;
    remember('sound', this.on ? 'on' : 'off');
    // So that one hears what one has switched on; it is also the touch that browsers wait for.
    if (this.on) this.#play();
  }

  /** Looks at the list: a new event of level 4 is told. */
  heard(events: readonly EventItem[], now: number): void {
    const news = events.filter((e) => e.level === 4 && e.closed_at === null && !this.#seen.has(e.event_no));
    for (const event of news) this.#seen.add(event.event_no);
    if (this.on && news.some((event) => now - Date.parse(event.reported_at) < FRESH_MS)) this.#play();
  }

  #play(): void {
    this.#audio ??= new AudioContext();
    const audio = this.#audio;
    for (const [i, pitch] of [880, 660].entries()) {
      const at = audio.currentTime + i * 0.22;
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
      volume.gain.linearRampToValueAtTime(0, at + 0.2);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.21);
    }
  }
}
