/** Classes of walking time: four inside the limit, two beyond. The map, its legend and the bars use the same. */

/** Parts of the limit at which the classes end; the last class is open. */
const PARTS = [0.3, 0.5, 0.75, 1, 1.5] as const;

export const N_CLASSES = PARTS.length + 1;

/** Where the classes end, seconds, rounded to what one reads easily; the fourth is the limit itself. */
export function edgesOf(limitSeconds: number): readonly number[] {
  const step = limitSeconds >= 480 ? 30 : limitSeconds >= 120 ? 15 : 3;
  const edges = PARTS.map((part) =>
    part === 1 ? limitSeconds : Math.max(step, Math.round((part * limitSeconds) / step) * step),
  );
  return edges.map((edge, i) => (i > 0 && edge <= (edges[i - 1] ?? 0) ? (edges[i - 1] ?? 0) + step : edge));
}

/** The class of a walk; what cannot be reached is in the last. A walk of exactly the limit is inside. */
export function classOf(seconds: number | null, edges: readonly number[]): number {
  if (seconds === null) return edges.length;
  const at = edges.findIndex((edge) => seconds <= edge + 1e-6);
  return at < 0 ? edges.length : at;
}

/** `0–3`, `3–5`, …, `> 15`: minutes. */
export function labelsOf(edges: readonly number[]): readonly string[] {
  const words = edges.map(minutesText);
  const inner = words.map((word, i) => `${i === 0 ? '0' : words[i - 1]}–${word}`);
  return [...inner, `> ${words.at(-1)}`];
}

/** Minutes with one decimal at most: `7.5`, `10`. */
export function minutesText(seconds: number): string {
  const minutes = Math.round(seconds / 6) / 10;
  return Number.isInteger(minutes) ? String(minutes) : minutes.toFixed(1);
}

/** How much weight is in each class. */
export function spread(
  seconds: readonly (number | null)[],
  weights: readonly (number | null)[],
  edges: readonly number[],
): readonly number[] {
  const sums = new Array<number>(edges.length + 1).fill(0);
  seconds.forEach((s, i) => {
    const at = classOf(s, edges);
    sums[at] = (sums[at] ?? 0) + (weights[i] ?? 0);
  });
  return sums;
}

/** What a trial does to a building. */
export const CHANGE = { won: 10, faster: 11, same: 12, slower: 13, lost: 14 } as const;

/** Less than this many seconds is no change that one would walk differently for. */
const NOTICED_S = 5;

export function changeOf(before: number | null, after: number | null, limitSeconds: number): number {
  const inside = (s: number | null): boolean => s !== null && s <= limitSeconds + 1e-6;
  if (inside(after) !== inside(before)) return inside(after) ? CHANGE.won : CHANGE.lost;
  const [was, is] = [before ?? Number.POSITIVE_INFINITY, after ?? Number.POSITIVE_INFINITY];
  if (was === is || Math.abs(was - is) < NOTICED_S) return CHANGE.same;
  return is < was ? CHANGE.faster : CHANGE.slower;
}
