import type { LngLat } from '../api/types.ts';
import type { Handle } from './handles.ts';
import { changeOf, classOf } from './minutes.ts';
import type { Change, Columns, Facility, Site, WhatIf } from './types.ts';

/** More than this many facilities are not shown as handles; those nearest the middle of the view are. */
export const MOST_HANDLES = 300;

/** Seconds of every building after a trial: as before but for what changed. */
export function secondsAfter(
  buildings: Columns,
  places: ReadonlyMap<number, number>,
  answer: WhatIf | null,
): readonly (number | null)[] {
  if (!answer || answer.changed.fid.length === 0) return buildings.seconds;
  const after = [...buildings.seconds];
  answer.changed.fid.forEach((fid, i) => {
    const at = places.get(fid);
    if (at !== undefined) after[at] = answer.changed.seconds[i] ?? null;
  });
  return after;
}

/** Where each building is in the columns. */
export function placesOf(buildings: Columns): ReadonlyMap<number, number> {
  return new Map(buildings.fid.map((fid, i) => [fid, i]));
}

/** The class of every building: of its walk, or of what the trial does to it. */
export function classesOf(
  buildings: Columns,
  after: readonly (number | null)[],
  edges: readonly number[],
  limitSeconds: number,
  display: 'minutes' | 'change',
): readonly number[] {
  return after.map((seconds, i) =>
    display === 'minutes'
      ? classOf(seconds, edges)
      : changeOf(buildings.seconds[i] ?? null, seconds, limitSeconds),
  );
}

export interface Words {
  readonly proposed: (label: string) => string;
  readonly facility: (title: string) => string;
  readonly moved: (title: string) => string;
  readonly closed: (title: string) => string;
  readonly site: (label: string, title: string | null) => string;
  readonly gate: () => string;
}

export interface Scene {
  readonly facilities: readonly Facility[];
  readonly changes: readonly Change[];
  readonly sites: readonly Site[];
  readonly symbol: string;
  readonly chosen: string | null;
  readonly tip: readonly [string, string] | null;
  readonly words: Words;
}

/** Everything on the map that can be taken in the hand. Facilities `f{fid}`, changes `c{place in the list}`, sites `s{letter}`. */
export function handlesOf(scene: Scene): readonly Handle[] {
  return [...facilityHandles(scene), ...siteHandles(scene), ...changeHandles(scene)];
}

function facilityHandles({ facilities, changes, symbol, chosen, tip, words }: Scene): Handle[] {
  const moves = new Map(changes.flatMap((one) => (one.op === 'move' ? [[one.fid, one.point] as const] : [])));
  const closed = new Set(changes.flatMap((one) => (one.op === 'close' ? [one.fid] : [])));
  return facilities.map((facility) => {
    const key = `f${facility.fid}`;
    const [to, shut] = [moves.get(facility.fid), closed.has(facility.fid)];
    const title = facility.title;
    return {
      key,
      at: to ?? facility.point,
      look: shut ? 'closed' : to ? 'trial' : 'standing',
      picture: symbol,
      letter: null,
      label: shut ? words.closed(title) : to ? words.moved(title) : words.facility(title),
      movable: !shut,
      chosen: chosen === key,
      tip: chosen === key ? tip : null,
    };
  });
}

/** Proposed sites that are not placed yet. */
function siteHandles({ sites, changes, chosen, words }: Scene): Handle[] {
  const placed = new Set(changes.flatMap((one) => (one.op === 'add' ? [one.label] : [])));
  return sites
    .filter((site) => !placed.has(site.label))
    .map((site) => ({
      key: `s${site.label}`,
      at: site.point,
      look: 'site',
      picture: null,
      letter: site.label,
      label: words.site(site.label, site.title),
      movable: false,
      chosen: chosen === `s${site.label}`,
      tip: null,
    }));
}

function changeHandles({ changes, symbol, chosen, tip, words }: Scene): Handle[] {
  return changes.flatMap((one, i): Handle[] => {
    const key = `c${i}`;
    const common = {
      key,
      letter: null,
      movable: true,
      chosen: chosen === key,
      tip: chosen === key ? tip : null,
    };
    if (one.op === 'add')
      return [{ ...common, at: one.point, look: 'trial', picture: symbol, label: words.proposed(one.label) }];
    if (one.op === 'gate')
      return [{ ...common, at: one.point, look: 'gate', picture: null, label: words.gate() }];
    return [];
  });
}

/** The facilities that are shown: all, or those nearest a place. */
export function nearestTo(facilities: readonly Facility[], at: LngLat | null): readonly Facility[] {
  if (facilities.length <= MOST_HANDLES || !at) return facilities.slice(0, MOST_HANDLES);
  const far = ({ point }: Facility): number => (point[0] - at[0]) ** 2 + (point[1] - at[1]) ** 2;
  return facilities.toSorted((a, b) => far(a) - far(b)).slice(0, MOST_HANDLES);
}
