import type { LngLat } from '../api/types.ts';
import { failed, type Loadable, ready, valueIn } from '../state/loadable.ts';
import { circleApi } from './api.ts';
import type { Circle } from './circle.svelte.ts';
import type { Shed } from './types.ts';

/** Where one can walk to from a place that was clicked. */
export class Sheds {
  at = $state.raw<LngLat | null>(null);
  title = $state<string | null>(null);
  found = $state.raw<Loadable<Shed> | null>(null);
  #asked: AbortController | null = null;

  async ask(at: LngLat, title: string | null, minutes: readonly number[], speed: number): Promise<void> {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    this.at = at;
    this.title = title;
    this.found = { state: 'loading' };
    try {
      this.found = ready(await circleApi.shed(at, minutes, speed, asked.signal));
    } catch (error) {
      if (!asked.signal.aborted) this.found = failed(error);
    }
  }

  forget(): void {
    this.#asked?.abort();
    this.at = null;
    this.found = null;
  }
}

/** What is drawn: of what is tried where something new stands, else of the place that was clicked. */
export function shedOf(circle: Circle): Shed | null {
  if (circle.sheds.found) return valueIn(circle.sheds.found);
  const shed = circle.trial.answer?.isochrones ?? null;
  return shed && shed.features.length > 0 ? shed : null;
}

/** Whose it is: `拟建 A 的 10 分钟等时圈`. */
export function shedTitle(circle: Circle, limit: string): string {
  const of = circle.sheds.found ? circle.sheds.title : triedNames(circle);
  return of === null ? circle.t('circle.shed', { n: limit }) : circle.t('circle.shed.of', { n: limit, of });
}

/** What is drawn for a trial is the ground of all that is new: `拟建 A, B`. */
function triedNames(circle: Circle): string | null {
  const labels = circle.trial.current.flatMap((one) => (one.op === 'add' ? [one.label] : []));
  if (labels.length > 0) return circle.t('circle.proposed', { label: labels.join(', ') });
  const move = circle.trial.current.find((one) => one.op === 'move');
  return (move && circle.facilities.find((one) => one.fid === move.fid)?.title) ?? null;
}
