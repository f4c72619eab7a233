import type { Feature, FeatureCollection, Polygon } from 'geojson';
import type { ExpressionSpecification } from 'maplibre-gl';
import type { Theme } from '../api/client.ts';
import type { LngLat } from '../api/types.ts';
import { FAMILY } from '../map/fonts.ts';
import type { Overlay } from '../map/overlays.ts';
import type { Outline } from './api.ts';
import { byClass, CLASS } from './dress.ts';
import { classOf } from './minutes.ts';
import type { ByZone, Change, Shed } from './types.ts';

/** Colours of the page that what is drawn over the map uses. */
export interface Inks {
  readonly accent: string;
  readonly halo: string;
  readonly veil: string;
}

const EMPTY: FeatureCollection = { type: 'FeatureCollection', features: [] };

/** Where one can walk to: the limit dashed over a halo, what lies nearer as one thin line. */
export function shedOverlay(shed: Shed, limitMinutes: number, inks: Inks): Overlay {
  const outer: ExpressionSpecification = ['>=', ['get', 'minutes'], limitMinutes - 0.05];
  const inner: ExpressionSpecification = ['<', ['get', 'minutes'], limitMinutes - 0.05];
  const round = { 'line-join': 'round' } as const;
  return {
    data: shed,
    paints: [
      {
        name: 'fill',
        slot: 'choropleth',
        type: 'fill',
        paint: { 'fill-color': inks.accent, 'fill-opacity': 0.11 },
      },
      {
        name: 'inner',
        slot: 'routes',
        type: 'line',
        filter: inner,
        layout: round,
        paint: { 'line-color': inks.accent, 'line-width': 1.4 },
      },
      {
        name: 'halo',
        slot: 'routes',
        type: 'line',
        filter: outer,
        layout: round,
        paint: { 'line-color': inks.halo, 'line-width': 5, 'line-opacity': 0.8 },
      },
      {
        name: 'outer',
        slot: 'routes',
        type: 'line',
        filter: outer,
        layout: round,
        paint: { 'line-color': inks.accent, 'line-width': 2, 'line-dasharray': [3.5, 2.5] },
      },
    ],
  };
}

/** H3 cells in the colour of their mean walk. */
export function cellOverlay(rows: ByZone, edges: readonly number[], theme: Theme, inks: Inks): Overlay {
  const features = rows.rows.flatMap((row): Feature<Polygon>[] => {
    if (!row.ring || row.ring.length < 3) return [];
    const ring = row.ring.map(([lng, lat]) => [lng, lat]);
    const [first, last] = [ring[0] ?? [], ring.at(-1) ?? []];
    const closed = first[0] === last[0] && first[1] === last[1] ? ring : [...ring, first];
    return [
      {
        type: 'Feature',
        properties: { [CLASS]: classOf(row.mean_s, edges), key: row.key },
        geometry: { type: 'Polygon', coordinates: [closed] },
      },
    ];
  });
  const colour = byClass(theme, 'rgba(0,0,0,0)', (same) => same, ['get', CLASS]);
  return {
    data: { type: 'FeatureCollection', features },
    paints: [
      {
        name: 'fill',
        slot: 'choropleth',
        type: 'fill',
        paint: { 'fill-color': colour, 'fill-opacity': 0.72 },
      },
      {
        name: 'edge',
        slot: 'choropleth',
        type: 'line',
        paint: { 'line-color': inks.halo, 'line-width': 1 },
      },
    ],
  };
}

/** Bridges that are thought of, and the one that is being drawn. */
export function bridgeOverlay(changes: readonly Change[], from: LngLat | null, inks: Inks): Overlay {
  const lines = changes.flatMap((one): Feature[] =>
    one.op === 'bridge' ? [feature({ type: 'LineString', coordinates: one.line.map((p) => [...p]) })] : [],
  );
  const begun = from ? [feature({ type: 'Point', coordinates: [...from] })] : [];
  const round = { 'line-cap': 'round' } as const;
  return {
    data: { type: 'FeatureCollection', features: [...lines, ...begun] },
    paints: [
      {
        name: 'halo',
        slot: 'routes',
        type: 'line',
        layout: round,
        paint: { 'line-color': inks.halo, 'line-width': 9 },
      },
      {
        name: 'line',
        slot: 'routes',
        type: 'line',
        layout: round,
        paint: { 'line-color': inks.accent, 'line-width': 5 },
      },
      {
        name: 'begun',
        slot: 'routes',
        type: 'circle',
        filter: ['==', ['geometry-type'], 'Point'],
        paint: {
          'circle-radius': 6,
          'circle-color': inks.halo,
          'circle-stroke-color': inks.accent,
          'circle-stroke-width': 2.5,
        },
      },
    ],
  };
}

/** Everything but the area, under a veil; its edge. */
export function veilOverlay(outline: Outline | null, inks: Inks): Overlay {
  const rings = (outline?.features ?? []).flatMap((one) =>
    one.geometry.type === 'Polygon' ? [one.geometry.coordinates] : one.geometry.coordinates,
  );
  const outside = [
    [-180, -85],
    [180, -85],
    [180, 85],
    [-180, 85],
    [-180, -85],
  ];
  const holes = rings.flatMap((polygon) => polygon.slice(0, 1));
  const data: FeatureCollection =
    holes.length === 0
      ? EMPTY
      : {
          type: 'FeatureCollection',
          features: [feature({ type: 'Polygon', coordinates: [outside, ...holes] })],
        };
  return {
    data,
    paints: [
      {
        name: 'fill',
        slot: 'hatches',
        type: 'fill',
        paint: { 'fill-color': inks.veil, 'fill-antialias': false },
      },
    ],
  };
}

/** Facilities as the map's own symbols: for paper, where nothing can be taken in the hand. */
export function marksOverlay(
  marks: readonly { readonly at: LngLat; readonly label: string }[],
  symbol: string,
  inks: Inks,
): Overlay {
  const features = marks.map(({ at, label }): Feature => {
    const [lng, lat] = at;
    return { type: 'Feature', properties: { label }, geometry: { type: 'Point', coordinates: [lng, lat] } };
  });
  return {
    data: { type: 'FeatureCollection', features },
    paints: [
      {
        name: 'symbol',
        slot: 'selection',
        type: 'symbol',
        layout: {
          'icon-image': symbol,
          'icon-overlap': 'always',
          'text-field': ['get', 'label'],
          'text-font': ['Onemap Semibold', FAMILY],
          'text-size': 12,
          'text-anchor': 'top',
          'text-offset': [0, 1.3],
          'text-overlap': 'always',
        },
        paint: { 'text-color': inks.accent, 'text-halo-color': inks.halo, 'text-halo-width': 2 },
      },
    ],
  };
}

function feature(geometry: Feature['geometry']): Feature {
  return { type: 'Feature', properties: {}, geometry };
}
