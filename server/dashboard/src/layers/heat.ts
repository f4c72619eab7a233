import type { FeatureCollection } from 'geojson';
import type { Heat } from '../api/reading.ts';
import type { Bounds, LngLat } from '../api/types.ts';
import type { Overlay } from '../map/overlays.ts';
import { type EventFilter, eventQuery, LEVELS, type Place } from '../state/filter.ts';

/** The name of the heat in the look: an analysis that is switched like a layer. */
export const HEAT = 'event_heat';

/** Without a time of its own the heat shows what was reported in these days. */
export const HEAT_DAYS = '30d';

/** Classes of the ramp (screens.md section 2). */
export const CLASSES = 6;

/** The size of the hexagons at a zoom: about 60 to 130 px across. */
export function resolutionOf(zoom: number): number {
  if (zoom >= 14.6) return 10;
  if (zoom >= 13.2) return 9;
  if (zoom >= 11.8) return 8;
  return zoom >= 10.4 ? 7 : 6;
}

/**
 * The heat counts what the list counts, but closed events too, unless the filter asks for states: where much happened is
 * not where much is open. Without a time the last 30 days.
 */
export function heatFilter(filter: EventFilter): EventFilter {
  return {
    ...filter,
    inView: false,
    closed: filter.closed || !filter.overdue,
    time: filter.time.kind === 'any' ? { kind: 'span', span: HEAT_DAYS } : filter.time,
  };
}

/** The server's question, but for the box. With `now` 0 it is the same for the same filter: a key. */
export function heatQuery(
  ask: { filter: EventFilter; place: Place; levels: readonly number[]; zoom: number },
  now: number,
): URLSearchParams {
  const levels = LEVELS.filter((level) => ask.levels.includes(level));
  const query = eventQuery(heatFilter(ask.filter), ask.place, levels, null, now);
  if (now === 0) query.set('resolution', String(resolutionOf(ask.zoom)));
  return query;
}

/** The box asked for: the view and half of it around. */
export function aroundOf([west, south, east, north]: Bounds): Bounds {
  const [dx, dy] = [(east - west) / 2, (north - south) / 2];
  return [
    Math.max(-180, west - dx),
    Math.max(-85, south - dy),
    Math.min(180, east + dx),
    Math.min(85, north + dy),
  ];
}

export function inside(small: Bounds, large: Bounds): boolean {
  return small[0] >= large[0] && small[1] >= large[1] && small[2] <= large[2] && small[3] <= large[3];
}

/** The class of a number, 0 for the least; breaks are the upper ends of all classes but the last. */
export function classOf(n: number, breaks: readonly number[]): number {
  const at = breaks.findIndex((end) => n <= end);
  return at < 0 ? breaks.length : at;
}

/** Which of the ramp's colours a class has: few classes still span from light to dark. */
export function colourOf(at: number, nClasses: number): number {
  return nClasses <= 1 ? CLASSES - 1 : Math.round((at * (CLASSES - 1)) / (nClasses - 1));
}

/** What the legend says: `5–12`, `13–18`, `≥ 19`. Cells of fewer than five have no number and no class. */
export function classTexts(breaks: readonly number[], least: number, most: number): readonly string[] {
  const range = (from: number, to: number): string => (from >= to ? `${to}` : `${from}–${to}`);
  const starts = [least, ...breaks.map((end) => end + 1)];
  return starts.map((from, i) => {
    const end = breaks[i];
    if (end !== undefined) return range(from, end);
    return most > from ? `≥ ${from}` : `${from}`;
  });
}

/** Numbers shown on the map run from here. */
export const LEAST_SHOWN = 5;

/** The classes in use: without any number there is none. */
export function heatClasses(heat: Heat): readonly { text: string; colour: number }[] {
  const shown = heat.cells.map((cell) => cell.n).filter((n) => n !== null);
  if (shown.length === 0) return [];
  const texts = classTexts(heat.breaks, LEAST_SHOWN, Math.max(...shown));
  return texts.map((text, i) => ({ text, colour: colourOf(i, texts.length) }));
}

function heatData(heat: Heat): FeatureCollection {
  const n = heat.breaks.length + 1;
  return {
    type: 'FeatureCollection',
    features: heat.cells.map((cell) => ({
      type: 'Feature',
      properties: { colour: cell.n === null ? -1 : colourOf(classOf(cell.n, heat.breaks), n) },
      geometry: { type: 'Polygon', coordinates: [closed(cell.ring)] },
    })),
  };
}

/** A ring that ends where it begins. */
export function closed(ring: readonly LngLat[]): number[][] {
  const [first] = ring;
  const last = ring.at(-1);
  const whole = first && last && (first[0] !== last[0] || first[1] !== last[1]) ? [...ring, first] : ring;
  return whole.map(([lng, lat]) => [lng, lat]);
}

/** Hexagons under the buildings; screens.md: the opacity grows with the class, so that streets stay readable. */
export function heatOverlay(heat: Heat, ramp: readonly string[], edge: string, opacity: number): Overlay {
  const few: ['==', ['get', string], number] = ['==', ['get', 'colour'], -1];
  return {
    data: heatData(heat),
    paints: [
      {
        name: 'cells',
        slot: 'choropleth',
        type: 'fill',
        filter: ['!', few],
        paint: {
          'fill-color': [
            'match',
            ['get', 'colour'],
            ...ramp.flatMap((colour, i) => [i, colour]),
            'transparent',
          ] as never,
          'fill-opacity': ['*', ['+', 0.34, ['*', 0.08, ['get', 'colour']]], opacity],
        },
      },
      {
        name: 'few',
        slot: 'choropleth',
        type: 'fill',
        filter: few,
        paint: { 'fill-pattern': 'hatch-few', 'fill-opacity': 0.8 * opacity },
      },
      {
        name: 'edges',
        slot: 'choropleth',
        type: 'line',
        paint: { 'line-color': edge, 'line-width': 1, 'line-opacity': opacity },
      },
    ],
  };
}
