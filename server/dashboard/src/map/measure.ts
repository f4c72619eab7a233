import type { LngLat } from '../api/types.ts';

/** Mean radius of the earth, metres: good to half a percent, which is below what a click can show. */
const RADIUS_M = 6_371_008.8;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Metres between two places along the great circle. */
export function distance(a: LngLat, b: LngLat): number {
  const [east, north] = [radians(b[0] - a[0]), radians(b[1] - a[1])];
  const h =
    Math.sin(north / 2) ** 2 + Math.cos(radians(a[1])) * Math.cos(radians(b[1])) * Math.sin(east / 2) ** 2;
  return 2 * RADIUS_M * Math.asin(Math.sqrt(h));
}

/** Metres along a line of places. */
export function pathLength(path: readonly LngLat[]): number {
  return path.slice(1).reduce((sum, place, i) => sum + distance(path[i] ?? place, place), 0);
}

/** Square metres inside a ring of places, which need not be closed. */
export function ringArea(ring: readonly LngLat[]): number {
  if (ring.length < 3) return 0;
  const doubled = ring.reduce((sum, [lng, lat], i) => {
    const [nextLng, nextLat] = ring[(i + 1) % ring.length] ?? [lng, lat];
    return sum + radians(nextLng - lng) * (2 + Math.sin(radians(lat)) + Math.sin(radians(nextLat)));
  }, 0);
  return Math.abs((doubled * RADIUS_M ** 2) / 2);
}
