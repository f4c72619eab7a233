import type { SearchAnswer, SearchHit } from '../api/reading.ts';
import type { Bounds, LngLat } from '../api/types.ts';

/** Shorter questions find too much to be of use. */
export const LEAST_LETTERS = 2;

/** So many of what was found before are offered again. */
export const RECENT = 5;

/** A piece of a title, and whether it is what was asked for. */
export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** Whether a question is long enough to be asked; a letter beyond the basic plane counts once. */
export function isQuestion(q: string): boolean {
  return [...q.trim()].length >= LEAST_LETTERS;
}

/** A title in pieces, by what matched: characters, as the server counts them. Overlapping and wild ranges are mended. */
export function piecesOf(title: string, match: SearchHit['match']): readonly Piece[] {
  const letters = [...title];
  const hit = letters.map((_, i) => match.some(([from, to]) => i >= from && i < to));
  const pieces: { text: string; hit: boolean }[] = [];
  letters.forEach((letter, i) => {
    const last = pieces.at(-1);
    if (last && last.hit === hit[i]) last.text += letter;
    else pieces.push({ text: letter, hit: hit[i] ?? false });
  });
  return pieces;
}

/** The hits of all groups in the order in which they are shown. */
export function hitsOf(answer: SearchAnswer): readonly SearchHit[] {
  return answer.groups.flatMap((group) => group.hits);
}

/** The next option under the arrow keys; it goes round, and -1 is the input itself. */
export function stepped(at: number, step: 1 | -1, n: number): number {
  if (n === 0) return -1;
  return at < 0 ? (step > 0 ? 0 : n - 1) : (at + step + n) % n;
}

/** What was opened before, the newest first, each once. */
export function withRecent(recent: readonly SearchHit[], hit: SearchHit): readonly SearchHit[] {
  const others = recent.filter((other) => other.layer !== hit.layer || other.fid !== hit.fid);
  return [{ ...hit, match: [] }, ...others].slice(0, RECENT);
}

/** What the browser kept; anything that is not ours is left out. */
export function readRecent(text: string | null): readonly SearchHit[] {
  let told: unknown;
  try {
    told = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  return Array.isArray(told) ? told.filter(isHit).slice(0, RECENT) : [];
}

function isHit(told: unknown): told is SearchHit {
  if (typeof told !== 'object' || told === null) return false;
  const hit = told as Partial<Record<keyof SearchHit, unknown>>;
  return (
    typeof hit.layer === 'string' &&
    typeof hit.fid === 'number' &&
    typeof hit.title === 'string' &&
    (hit.sub === null || typeof hit.sub === 'string') &&
    isNumbers(hit.point, 2) &&
    isNumbers(hit.bounds, 4) &&
    Array.isArray(hit.match)
  );
}

function isNumbers(told: unknown, n: 2 | 4): told is LngLat | Bounds {
  return Array.isArray(told) && told.length === n && told.every((x) => typeof x === 'number');
}
