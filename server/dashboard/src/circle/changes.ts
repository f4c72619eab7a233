import type { LngLat } from '../api/types.ts';
import type { Change } from './types.ts';

/** A trial's changes as words of the address: `add:A:117.30102,31.70211;move:12:…;close:14;gate:…;bridge:…,…,…,…`. */
export function encodeChanges(changes: readonly Change[]): string {
  return changes.map(word).join(';');
}

/** What of the words can be understood; anything else is left out. */
export function decodeChanges(text: string): readonly Change[] {
  return text
    .split(';')
    .map(change)
    .filter((found) => found !== null)
    .slice(0, MOST);
}

/** More than this nobody has in mind at once, and an address stays short. */
const MOST = 40;

/** Places as the server wants them: `label` stays here. */
export function onTheWire(changes: readonly Change[]): readonly object[] {
  return changes.map((one) => (one.op === 'add' ? { op: one.op, point: one.point } : one));
}

/** A facility stands elsewhere; a second move replaces the first, and a move reopens it. */
export function moved(changes: readonly Change[], fid: number, point: LngLat): readonly Change[] {
  return [...untouched(changes, fid), { op: 'move', fid, point }];
}

export function closed(changes: readonly Change[], fid: number): readonly Change[] {
  return [...untouched(changes, fid), { op: 'close', fid }];
}

/** A facility as it really is. */
export function untouched(changes: readonly Change[], fid: number): readonly Change[] {
  return changes.filter((one) => !((one.op === 'move' || one.op === 'close') && one.fid === fid));
}

export function added(changes: readonly Change[], point: LngLat, label: string): readonly Change[] {
  return [...changes, { op: 'add', point, label }];
}

/** What was added, or a gate, stands elsewhere; `at` counts in the list. */
export function shifted(changes: readonly Change[], at: number, point: LngLat): readonly Change[] {
  return changes.map((one, i) =>
    i === at && (one.op === 'add' || one.op === 'gate' || one.op === 'move') ? { ...one, point } : one,
  );
}

export function without(changes: readonly Change[], at: number): readonly Change[] {
  return changes.filter((_, i) => i !== at);
}

/** The first letter that nothing on the map bears yet. */
export function nextLabel(taken: readonly string[]): string {
  for (let n = 0; n < 26 * 27; n += 1) {
    const letter = String.fromCharCode(65 + (n % 26));
    const label = n < 26 ? letter : `${letter}${Math.floor(n / 26)}`;
    if (!taken.includes(label)) return label;
  }
  return '?';
}

function word(one: Change): string {
  switch (one.op) {
    case 'add':
      return `add:${one.label}:${place(one.point)}`;
    case 'move':
      return `move:${one.fid}:${place(one.point)}`;
    case 'close':
      return `close:${one.fid}`;
    case 'gate':
      return `gate:${place(one.point)}`;
    case 'bridge':
      return `bridge:${one.line.map(place).join(',')}`;
  }
}

function change(text: string): Change | null {
  const [op, first = '', second = ''] = text.split(':');
  switch (op) {
    case 'add': {
      const point = placeOf(second);
      return point && /^[A-Z]\d{0,2}$/.test(first) ? { op, label: first, point } : null;
    }
    case 'move': {
      const point = placeOf(second);
      return point && /^\d{1,15}$/.test(first) ? { op, fid: Number(first), point } : null;
    }
    case 'close':
      return /^\d{1,15}$/.test(first) ? { op, fid: Number(first) } : null;
    case 'gate': {
      const point = placeOf(first);
      return point ? { op, point } : null;
    }
    case 'bridge': {
      const numbers = first.split(',');
      const [from, to] = [placeOf(numbers.slice(0, 2).join()), placeOf(numbers.slice(2).join())];
      return from && to ? { op, line: [from, to] } : null;
    }
    default:
      return null;
  }
}

/** About a decimetre. */
function place([lng, lat]: LngLat): string {
  return `${lng.toFixed(6)},${lat.toFixed(6)}`;
}

function placeOf(text: string): LngLat | null {
  const [lng, lat, ...more] = text.split(',').map(Number);
  if (lng === undefined || lat === undefined || more.length > 0) return null;
  return Math.abs(lng) <= 180 && Math.abs(lat) <= 85 && text.trim() !== '' ? [lng, lat] : null;
}
