import type { LngLat } from '../api/types.ts';
import type { Overlay } from '../map/overlays.ts';
import { closed } from './heat.ts';

/** The ground that a camera sees, under the symbols. */
export function groundOverlay(ring: readonly LngLat[], colour: string): Overlay {
  return {
    data: {
      type: 'FeatureCollection',
      features: [
        { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [closed(ring)] } },
      ],
    },
    paints: [
      {
        name: 'fill',
        slot: 'camera-sectors',
        type: 'fill',
        paint: { 'fill-color': colour, 'fill-opacity': 0.28 },
      },
      {
        name: 'edge',
        slot: 'camera-sectors',
        type: 'line',
        paint: { 'line-color': colour, 'line-width': 2 },
      },
    ],
  };
}
