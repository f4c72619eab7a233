import type { LngLat } from '../api/types.ts';
import { added, closed, moved, nextLabel, shifted, untouched, without } from './changes.ts';
import type { Circle } from './circle.svelte.ts';
import type { Change, Facility, Site } from './types.ts';

/** What the reader's hand does on the map, in words of the trial. Keys of handles as in scene.ts. */

export function clickedMap(circle: Circle, at: LngLat): void {
  switch (circle.tool) {
    case 'add': {
      const place = circle.trial.changes.length;
      put(circle, added(circle.trial.changes, at, freeLabel(circle)));
      circle.chosen = `c${place}`;
      break;
    }
    case 'gate':
      put(circle, [...circle.trial.changes, { op: 'gate', point: at }]);
      break;
    case 'bridge':
      if (circle.begun) put(circle, [...circle.trial.changes, { op: 'bridge', line: [circle.begun, at] }]);
      circle.begun = circle.begun ? null : at;
      break;
    case 'shed':
      circle.chosen = null;
      askShed(circle, at, null);
      break;
  }
}

export function pickedHandle(circle: Circle, key: string): void {
  const site = siteOf(circle, key);
  if (site) {
    placeSite(circle, site);
    return;
  }
  circle.chosen = key;
  const facility = facilityOf(circle, key);
  if (facility && circle.tool === 'shed') askShed(circle, standsAt(circle, facility), facility.title);
}

/** It is in the hand: the trial is shown by building, for only buildings are asked about while it moves. */
export function tookHandle(circle: Circle, key: string): void {
  circle.chosen = key;
  circle.carrying = true;
  if (circle.by !== 'building') circle.setBy('building');
  circle.sheds.forget();
}

export function carriedHandle(circle: Circle, key: string, at: LngLat, done: boolean): void {
  const changes = movedTo(circle.trial.changes, key, at);
  if (!done) {
    circle.trial.carry(changes);
    return;
  }
  circle.carrying = false;
  circle.trial.put(changes);
}

/** Delete takes back what was added or changed, and closes what stands. */
export function removedHandle(circle: Circle, key: string): void {
  const { changes } = circle.trial;
  const facility = facilityOf(circle, key);
  if (key.startsWith('c')) {
    circle.chosen = null;
    put(circle, without(changes, Number(key.slice(1))));
  } else if (facility) {
    const touched = changes.some((one) => 'fid' in one && one.fid === facility.fid);
    put(circle, touched ? untouched(changes, facility.fid) : closed(changes, facility.fid));
  }
}

/** A proposed site becomes a facility of the trial, or is taken back. */
export function placeSite(circle: Circle, site: Site): void {
  const { changes } = circle.trial;
  const at = changes.findIndex((one) => one.op === 'add' && one.label === site.label);
  circle.chosen = at < 0 ? `c${changes.length}` : null;
  put(circle, at < 0 ? added(changes, site.point, site.label) : without(changes, at));
}

export function askShed(circle: Circle, at: LngLat, title: string | null): void {
  void circle.sheds.ask(at, title, shedMinutes(circle), circle.speed);
}

/** The limit, and half of it. */
export function shedMinutes(circle: Circle): readonly number[] {
  const limit = (circle.cover?.limit_s ?? 600) / 60;
  return [limit / 2, limit].map((minutes) => Math.round(minutes * 100) / 100);
}

/** Where a facility stands now, in the trial. */
export function standsAt(circle: Circle, facility: Facility): LngLat {
  const move = circle.trial.current.find((one) => one.op === 'move' && one.fid === facility.fid);
  return move?.op === 'move' ? move.point : facility.point;
}

export function facilityOf(circle: Circle, key: string): Facility | null {
  if (!key.startsWith('f')) return null;
  const fid = Number(key.slice(1));
  return circle.facilities.find((one) => one.fid === fid) ?? null;
}

export function changeAt(circle: Circle, key: string): Change | null {
  return key.startsWith('c') ? (circle.trial.current[Number(key.slice(1))] ?? null) : null;
}

function siteOf(circle: Circle, key: string): Site | null {
  return circle.sites.all.find((one) => key === `s${one.label}`) ?? null;
}

function put(circle: Circle, changes: readonly Change[]): void {
  if (circle.by !== 'building') circle.setBy('building');
  circle.sheds.forget();
  circle.trial.put(changes);
}

function movedTo(changes: readonly Change[], key: string, at: LngLat): readonly Change[] {
  const n = Number(key.slice(1));
  return key.startsWith('f') ? moved(changes, n, at) : shifted(changes, n, at);
}

/** Letters of proposed sites are theirs. */
function freeLabel(circle: Circle): string {
  const placed = circle.trial.changes.flatMap((one) => (one.op === 'add' ? [one.label] : []));
  const proposed = circle.sites.all.map((site) => site.label);
  return nextLabel([...placed, ...proposed]);
}
