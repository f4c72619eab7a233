import type { FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';
import type { Overlay } from '../map/overlays.ts';

/** As much of the world as Web Mercator shows. */
const WORLD: Position[] = [
  [-180, -85],
  [180, -85],
  [180, 85],
  [-180, 85],
  [-180, -85],
];

/** Everything outside an area, as one surface with the area as its holes; what an area's own holes hold is outside. */
export function outside(area: Polygon | MultiPolygon): FeatureCollection {
  const parts = area.type === 'Polygon' ? [area.coordinates] : area.coordinates;
  const shells = parts.flatMap(([shell]) => (shell ? [shell] : []));
  const islands = parts.flatMap(([, ...holes]) => holes.map((hole) => [hole]));
  return {
    type: 'FeatureCollection',
    features: [[WORLD, ...shells], ...islands].map((coordinates) => ({
      type: 'Feature',
      properties: {},
      geometry: { type: 'Polygon', coordinates },
    })),
  };
}

/** The veil: over land, roads and roofs alike, under lines, symbols and names. */
export function veilOverlay(area: Polygon | MultiPolygon, colour: string): Overlay {
  return {
    data: outside(area),
    paints: [
      {
        name: 'veil',
        slot: 'hatches',
        type: 'fill',
        paint: { 'fill-color': colour, 'fill-antialias': false },
      },
    ],
  };
}
