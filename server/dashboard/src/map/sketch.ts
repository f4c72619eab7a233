import type { Feature, FeatureCollection, Geometry } from 'geojson';
import type { LayerSpecification } from 'maplibre-gl';
import type { LngLat } from '../api/types.ts';
import type { SelectionColours } from './selection.ts';

/** The source, and the beginning of the names of the layers, of what is being measured. */
export const SKETCH = 'onemap-sketch';

/** The places as points, and the line or surface through them. */
export function sketchData(places: readonly LngLat[], closed: boolean): FeatureCollection {
  const path = places.map(([lng, lat]) => [lng, lat]);
  const [first] = path;
  const features: Feature[] = path.map((coordinates) => feature({ type: 'Point', coordinates }));
  if (closed && first && path.length > 2)
    features.push(feature({ type: 'Polygon', coordinates: [[...path, first]] }));
  else if (path.length > 1) features.push(feature({ type: 'LineString', coordinates: path }));
  return { type: 'FeatureCollection', features };
}

export function sketchLayers(colours: SelectionColours): readonly LayerSpecification[] {
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const;
  return [
    {
      id: `${SKETCH}-fill`,
      type: 'fill',
      source: SKETCH,
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': colours.accent, 'fill-opacity': 0.16 },
    },
    {
      id: `${SKETCH}-halo`,
      type: 'line',
      source: SKETCH,
      layout: round,
      paint: { 'line-color': colours.halo, 'line-width': 6, 'line-opacity': 0.7 },
    },
    {
      id: `${SKETCH}-line`,
      type: 'line',
      source: SKETCH,
      layout: round,
      paint: { 'line-color': colours.accent, 'line-width': 3 },
    },
    {
      id: `${SKETCH}-points`,
      type: 'circle',
      source: SKETCH,
      filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-radius': 4,
        'circle-color': colours.halo,
        'circle-stroke-color': colours.accent,
        'circle-stroke-width': 2,
      },
    },
  ];
}

function feature(geometry: Geometry): Feature {
  return { type: 'Feature', properties: {}, geometry };
}
