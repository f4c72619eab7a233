import type { EventItem } from '../api/types.ts';
import { lately, ringed, ringsOf } from '../layers/live.ts';
import type { App } from './app.svelte.ts';
import type { LiveHooks } from './live.svelte.ts';

/** Numbers that follow from other layers are asked for at most this often, ms. */
const NUMBERS_MS = 15_000;

/** What the page does with the stream: the list asks anew, new events are ringed, written layers are drawn again. */
export function liveHooks(app: App): LiveHooks {
  let cameAt: readonly number[] = [];
  let numbersAt = 0;

  async function changed(told: readonly EventItem[], missed: number): Promise<void> {
    const known = new Set(app.events.events.map((event) => event.fid));
    await app.events.refresh();
    if (missed > 0) app.toasts.show({ text: app.t('live.caughtUp', { n: missed }) });
    ring(told, known);
    if (told.some((event) => event.fid === app.selection?.fid && app.selection.layer === 'events'))
      app.reloadCard();
    void app.loadKpis();
  }

  /** Only what the list shows is ringed: the filter decides. */
  function ring(told: readonly EventItem[], known: ReadonlySet<number>): void {
    const now = Date.now();
    const fresh = ringed(told, known, cameAt, now);
    cameAt = lately(cameAt, told.filter((event) => !known.has(event.fid)).length, now);
    const listed = new Set(app.events.events.map((event) => event.fid));
    for (const event of fresh.filter(({ fid }) => listed.has(fid))) {
      app.map?.pulse([event.lon, event.lat], ringsOf(event.level), event.level);
      app.said = app.t('live.new', { title: event.title });
    }
  }

  function written(layers: ReadonlySet<string>): void {
    app.map?.refreshTiles([...layers].filter((layer) => app.look?.on.has(layer)));
    if (layers.has('responders')) {
      void app.responders.refresh();
      void app.force.refresh();
    }
    const now = Date.now();
    if (now - numbersAt < NUMBERS_MS) return;
    numbersAt = now;
    void app.inView.load(app.bounds);
    void app.loadKpis();
  }

  return {
    changed,
    written,
    broken: () => app.events.refresh(),
    back: () => app.events.answered(),
  };
}
