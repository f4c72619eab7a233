import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { COMPUTED_MS, get, send } from '../api/client.ts';
import type { LngLat } from '../api/types.ts';
import { onTheWire } from './changes.ts';
import type { By, ByZone, Change, Coverage, Duel, Model, Shed, Siting, WhatIf } from './types.ts';

/** Whose walk it is: in an area, at a speed, to what is open, within a limit of one's own. */
export interface Walker {
  readonly area: string;
  readonly speed_kmh: number;
  readonly minutes?: number;
  readonly open_at?: string;
}

/** What all questions of this page are about. */
export interface Subject extends Walker {
  readonly category: string;
}

export type Outline = FeatureCollection<Polygon | MultiPolygon>;

/** The life circle's questions, each a typed promise; failures as in api/client.ts. */
export const circleApi = {
  coverage: (of: Walker, signal: AbortSignal): Promise<Coverage> =>
    get(`/api/coverage?${queryOf(of)}`, signal, COMPUTED_MS),
  zones: (of: Subject, by: By, signal: AbortSignal): Promise<ByZone> =>
    get(`/api/coverage/${of.category}?${queryOf(of)}&by=${by}`, signal, COMPUTED_MS),
  whatIf: (
    of: Subject,
    changes: readonly Change[],
    isochrone: boolean,
    signal: AbortSignal,
  ): Promise<WhatIf> =>
    send(
      'POST',
      '/api/coverage/what-if',
      { ...of, changes: onTheWire(changes), isochrone },
      signal,
      COMPUTED_MS,
    ),
  shed: (at: LngLat, minutes: readonly number[], speed: number, signal: AbortSignal): Promise<Shed> =>
    get(
      `/api/isochrones?point=${at.map((x) => x.toFixed(6)).join(',')}&minutes=${minutes.join(',')}&mode=foot&reverse=true&tolerance_m=1&speed_kmh=${speed}`,
      signal,
      COMPUTED_MS,
    ),
  siting: (of: Subject, n: number, model: Model, signal: AbortSignal): Promise<Siting> =>
    send('POST', '/api/siting', { ...of, n, model, candidates: 'nodes' }, signal, COMPUTED_MS),
  duel: (of: Subject, a: LngLat, b: LngLat): Promise<Duel> =>
    send('POST', '/api/siting/compare', { ...of, a, b }, undefined, COMPUTED_MS),
  outline: (area: string): Promise<Outline> =>
    get(`/ogc/collections/areas/items?f=json&area_code=${area}&limit=1`),
};

function queryOf({ area, speed_kmh, minutes, open_at }: Walker): string {
  const words = [`area=${area}`, `speed_kmh=${speed_kmh}`];
  if (minutes !== undefined) words.push(`minutes=${minutes}`);
  if (open_at !== undefined) words.push(`open_at=${encodeURIComponent(open_at)}`);
  return words.join('&');
}
