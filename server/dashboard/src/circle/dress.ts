import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Theme } from '../api/client.ts';
import { ownerOf, sourceFor } from '../layers/legend.ts';
import { CHANGE } from './minutes.ts';
import { changeRamp, RAMP, roof } from './ramp.ts';

/** What of the one map this page shows: the ground, the streets, the buildings, and where areas end. */
const SHOWN: ReadonlySet<string> = new Set([
  'areas',
  'grids',
  'estates',
  'buildings',
  'roads',
  'water',
  'green',
]);

/** Not of interest here: who has no officer, and the numbers of grids. */
const LEFT_OUT: ReadonlySet<string> = new Set(['grids-vacant', 'grids-number', 'grids-selected']);

/** The feature state that holds a building's or a grid's class. */
export const CLASS = 'k';

export const GRID_FILL = 'circle-grids';

const STATE: ExpressionSpecification = ['feature-state', CLASS];

/**
 * The server's style as this page draws it: buildings and grids coloured by the class that their state holds, or by
 * expressions of one's own (null: not coloured).
 */
export function circleStyle(
  style: StyleSpecification,
  theme: Theme,
  classes: { buildings: ExpressionSpecification | null; grids: ExpressionSpecification | null } = {
    buildings: STATE,
    grids: STATE,
  },
): StyleSpecification {
  const kept = style.layers.filter((layer) => {
    const owner = ownerOf(layer);
    return owner === null || (SHOWN.has(owner) && !LEFT_OUT.has(layer.id));
  });
  const used = new Set(kept.flatMap((layer) => ('source' in layer ? [String(layer.source)] : [])));
  return {
    ...style,
    sources: Object.fromEntries(Object.entries(style.sources).filter(([name]) => used.has(name))),
    layers: kept.flatMap((layer) =>
      layer.id === 'slot:choropleth'
        ? [...gridFill(style, theme, classes.grids), layer]
        : [coloured(layer, theme, classes.buildings)],
    ),
  };
}

function coloured(
  layer: LayerSpecification,
  theme: Theme,
  klass: ExpressionSpecification | null,
): LayerSpecification {
  if (ownerOf(layer) !== 'buildings' || !klass) return layer;
  if (layer.type === 'fill-extrusion') {
    const colour = byClass(theme, layer.paint?.['fill-extrusion-color'] ?? '#888888', roof, klass);
    return { ...layer, paint: { ...layer.paint, 'fill-extrusion-color': colour } };
  }
  if (layer.type === 'fill' && layer.id === 'buildings-flat') {
    const colour = byClass(theme, layer.paint?.['fill-color'] ?? '#888888', (same) => same, klass);
    return { ...layer, paint: { ...layer.paint, 'fill-color': colour } };
  }
  return layer;
}

/** Below the buildings, which keep their roofs: a building must always be recognisable. */
function gridFill(
  style: StyleSpecification,
  theme: Theme,
  klass: ExpressionSpecification | null,
): LayerSpecification[] {
  const source = sourceFor(style.layers, 'grids');
  if (source === null || !klass) return [];
  return [
    {
      id: GRID_FILL,
      type: 'fill',
      source,
      'source-layer': 'grids',
      paint: {
        'fill-color': byClass(theme, 'rgba(0,0,0,0)', (same) => same, klass),
        'fill-opacity': 0.72,
      },
    },
  ];
}

/** A colour for each class; whatever has no class looks as it always does. */
export function byClass(
  theme: Theme,
  otherwise: unknown,
  as: (colour: string) => string,
  klass: ExpressionSpecification,
): ExpressionSpecification {
  const changes = Object.entries(changeRamp(theme)).flatMap(([k, colour]) => [Number(k), as(colour)]);
  const minutes = RAMP[theme].flatMap((colour, k) => [k, as(colour)]);
  const expression = ['match', ['coalesce', klass, CHANGE.same], ...minutes, ...changes, otherwise];
  return expression as unknown as ExpressionSpecification;
}

/** The class of each feature by its id, as an expression: for a picture, which keeps no feature states. */
export function classesAsExpression(
  fid: readonly number[],
  k: readonly number[],
): ExpressionSpecification | null {
  const groups = new Map<number, number[]>();
  const seen = new Set<number>();
  fid.forEach((id, i) => {
    if (seen.has(id)) return;
    seen.add(id);
    const klass = k[i] ?? CHANGE.same;
    const ids = groups.get(klass);
    if (ids) ids.push(id);
    else groups.set(klass, [id]);
  });
  if (groups.size === 0) return null;
  const cases = [...groups].flatMap(([klass, ids]) => [ids, klass]);
  return ['match', ['id'], ...cases, CHANGE.same] as unknown as ExpressionSpecification;
}
