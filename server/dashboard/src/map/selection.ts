import type { LayerSpecification } from 'maplibre-gl';
import type { Layer } from '../api/types.ts';
import type { Selection } from '../state/address.ts';

export const SELECTION_PREFIX = 'onemap-selection';

/** The same marks for what a card points at. */
export const HIGHLIGHT_PREFIX = 'onemap-highlight';

export interface SelectionColours {
  readonly accent: string;
  readonly text: string;
  readonly halo: string;
}

/** A layer and the slot of the draw order it belongs to (tiles/styles/order.json). */
export interface Marking {
  readonly slot: 'choropleth' | 'area-lines' | 'selection';
  readonly layer: LayerSpecification;
}

/** What marks the selected: a ring about a point, a strong line along anything else, a tint under the symbols. */
export function selectionLayers(
  layer: Layer,
  selection: Selection,
  colours: SelectionColours,
  source: string,
  tiled: boolean,
  prefix: string = SELECTION_PREFIX,
): readonly Marking[] {
  const from = {
    source,
    ...(tiled ? { 'source-layer': layer.name } : {}),
    filter: ['==', ['id'], selection.fid] as ['==', ['id'], number],
  };
  switch (layer.geometry) {
    case 'Point':
      return [ring(`${prefix}-halo`, from, colours.halo, 5), ring(`${prefix}-ring`, from, colours.text, 2)];
    case 'LineString':
    case 'MultiLineString':
      return [
        line(`${prefix}-halo`, from, colours.halo, 9, 0.6),
        line(`${prefix}-line`, from, colours.accent, 4.5, 1),
      ];
    case 'Polygon':
    case 'MultiPolygon':
      return [
        {
          slot: 'choropleth',
          layer: {
            id: `${prefix}-fill`,
            type: 'fill',
            ...from,
            paint: { 'fill-color': colours.accent, 'fill-opacity': 0.16 },
          },
        },
        line(`${prefix}-halo`, from, colours.halo, 6, 0.7),
        line(`${prefix}-line`, from, colours.accent, 3, 1),
      ];
  }
}

type From = { source: string; 'source-layer'?: string; filter: ['==', ['id'], number] };

function ring(name: string, from: From, colour: string, width: number): Marking {
  const layer: LayerSpecification = {
    id: name,
    type: 'circle',
    ...from,
    paint: {
      'circle-radius': 17,
      'circle-opacity': 0,
      'circle-stroke-color': colour,
      'circle-stroke-width': width,
    },
  };
  return { slot: 'selection', layer };
}

function line(name: string, from: From, colour: string, width: number, opacity: number): Marking {
  const layer: LayerSpecification = {
    id: name,
    type: 'line',
    ...from,
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': colour, 'line-width': width, 'line-opacity': opacity },
  };
  return { slot: 'area-lines', layer };
}
