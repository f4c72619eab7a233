import type { EventItem } from '../api/types.ts';

/** From so many new events a minute on none is ringed: the map would never be still. */
const CALM = 20;
const MINUTE_MS = 60_000;

/** An event reported longer ago than this is no news, ms. */
const NEWS_MS = 120_000;

/** How long to wait before the n-th try to connect again, ms; `spread` 0..1 keeps many screens apart. */
export function pauseBefore(tries: number, spread: number): number {
  const base = Math.min(15_000, 1000 * 2 ** Math.min(tries - 1, 4));
  return Math.round(base * (1 + spread / 2));
}

/** Events that came in above what was seen: they wait until the reader asks for them. Pages added below do not. */
export function heldBack(seen: ReadonlySet<number>, events: readonly EventItem[]): ReadonlySet<number> {
  const lastSeen = events.findLastIndex((event) => seen.has(event.fid));
  return new Set(
    events
      .slice(0, Math.max(0, lastSeen))
      .filter((event) => !seen.has(event.fid))
      .map((event) => event.fid),
  );
}

/** Which of the newly told events get a ring, given when others came in. */
export function ringed(
  told: readonly EventItem[],
  known: ReadonlySet<number>,
  cameAt: readonly number[],
  now: number,
): readonly EventItem[] {
  const fresh = told.filter(
    (event) => !known.has(event.fid) && now - Date.parse(event.reported_at) < NEWS_MS,
  );
  const lately = cameAt.filter((at) => now - at < MINUTE_MS).length;
  return lately + fresh.length >= CALM ? [] : fresh;
}

/** A ring for a small thing, three for the worst. */
export function ringsOf(level: number): 1 | 3 {
  return level >= 4 ? 3 : 1;
}

/** What came in within the last minute, the newest added. */
export function lately(cameAt: readonly number[], more: number, now: number): readonly number[] {
  return [...cameAt.filter((at) => now - at < MINUTE_MS), ...Array.from({ length: more }, () => now)];
}
