import { GPUInitializationError, type Map as MapLibre, type MapOptions } from 'maplibre-gl';
import type { Bounds } from '../api/types.ts';
import type { View } from '../state/address.ts';
import type { Padding } from '../state/layout.ts';
import { PatientMap } from './patient.ts';

const FLIGHT_MS = 600;

export interface Opening {
  readonly container: HTMLElement;
  readonly at: View | Bounds;
  readonly padding: Padding;
  readonly label: string;
  /** No flights: the reader asked for less motion. */
  readonly still: boolean;
}

/** A map as every page opens it. */
export function openMap(opening: Opening, style: NonNullable<MapOptions['style']>): MapLibre {
  const { at } = opening;
  return new PatientMap({
    container: opening.container,
    style,
    attributionControl: false,
    fadeDuration: opening.still ? 0 : 200,
    maxPitch: 60,
    locale: { 'Map.Title': opening.label },
    transformRequest: (url) => ({ url: new URL(url, location.href).href }),
    ...('zoom' in at
      ? { center: [at.lng, at.lat] as [number, number], zoom: at.zoom, bearing: at.bearing, pitch: at.pitch }
      : {
          bounds: [...at] as [number, number, number, number],
          fitBoundsOptions: { padding: { ...opening.padding } },
        }),
  });
}

/** A map, or null where the browser has no WebGL; to ask it beforehand would cost a context of its own. */
export function unlessUnsupported<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof GPUInitializationError) return null;
    throw error;
  }
}

/** What the map shows, as the address keeps it. */
export function viewOf(map: MapLibre): View {
  const { lng, lat } = map.getCenter();
  const round = (x: number): number => Math.round(x * 10) / 10 + 0;
  return { lng, lat, zoom: map.getZoom(), bearing: round(map.getBearing()), pitch: round(map.getPitch()) };
}

export function boundsOf(map: MapLibre): Bounds {
  const b = map.getBounds();
  return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()];
}

export function jump(map: MapLibre, view: View): void {
  map.jumpTo({ center: [view.lng, view.lat], zoom: view.zoom, bearing: view.bearing, pitch: view.pitch });
}

/** Flies to a place, or jumps where it is farther than two screens. */
export function fly(map: MapLibre, bounds: Bounds, maxZoom: number, padding: Padding, still: boolean): void {
  const camera = map.cameraForBounds([...bounds] as [number, number, number, number], {
    padding: { ...padding },
    maxZoom,
  });
  if (!camera?.center) return;
  const to = map.project(camera.center);
  const { clientWidth: w, clientHeight: h } = map.getContainer();
  const far = Math.hypot((to.x - w / 2) / w, (to.y - h / 2) / h) > 2;
  map.easeTo({ ...camera, duration: still || far ? 0 : FLIGHT_MS });
}
