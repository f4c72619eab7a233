import type { FilterSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';
import { type Legend, ownerOf } from './legend.ts';
import type { Look } from './look.ts';

/** What the map must be told when the look changes; one change is one call of the map. */
export type Change =
  | { readonly kind: 'visibility'; readonly layer: string; readonly visible: boolean }
  | { readonly kind: 'filter'; readonly layer: string; readonly filter: FilterSpecification | null }
  | { readonly kind: 'paint'; readonly layer: string; readonly property: string; readonly value: unknown };

/** The style as the reader wants it: layers switched, classes filtered, opacities scaled. */
export function dressed(
  style: StyleSpecification,
  legends: ReadonlyMap<string, Legend>,
  look: Look,
): StyleSpecification {
  return { ...style, layers: style.layers.map((layer) => dressedLayer(layer, legends, look)) };
}

/** The style with or without the numbers of grids. */
export function withGridNumbers(style: StyleSpecification, shown: boolean): StyleSpecification {
  if (shown) return style;
  const hidden = (layer: LayerSpecification): LayerSpecification =>
    ownerOf(layer) === 'grids' && layer.type === 'symbol'
      ? ({ ...layer, layout: { ...layer.layout, visibility: 'none' } } as LayerSpecification)
      : layer;
  return { ...style, layers: style.layers.map(hidden) };
}

/** What turns one dressed style into another of the same layers. */
export function changes(before: StyleSpecification, after: StyleSpecification): readonly Change[] {
  const known = new Map(before.layers.map((layer) => [layer.id, layer]));
  return after.layers.flatMap((layer) => {
    const old = known.get(layer.id);
    return old && old !== layer ? layerChanges(old, layer) : [];
  });
}

function dressedLayer(
  layer: LayerSpecification,
  legends: ReadonlyMap<string, Legend>,
  look: Look,
): LayerSpecification {
  const owner = ownerOf(layer);
  if (owner === null) return layer;
  const visible = look.on.has(owner) && layer.layout?.visibility !== 'none';
  const hidden = [...look.hidden]
    .filter((word) => word.startsWith(`${owner}:`))
    .map((word) => word.slice(owner.length + 1));
  const field = legends.get(owner)?.field ?? null;
  const opacity = look.opacity.get(owner) ?? 1;
  return {
    ...layer,
    layout: { ...layer.layout, visibility: visible ? 'visible' : 'none' },
    ...(field !== null && hidden.length > 0 ? { filter: without(filterOf(layer), field, hidden) } : {}),
    ...(opacity < 1 ? { paint: faded(layer, opacity) } : {}),
  } as LayerSpecification;
}

/** A filter that also leaves out the classes that are switched off. Clusters carry no class and stay. */
function without(
  filter: FilterSpecification | null,
  field: string,
  hidden: readonly string[],
): FilterSpecification {
  const kept = ['!', ['in', ['to-string', ['get', field]], ['literal', hidden]]];
  return (filter ? ['all', filter, kept] : kept) as FilterSpecification;
}

const OPACITIES: Readonly<Record<string, readonly string[]>> = {
  fill: ['fill-opacity'],
  line: ['line-opacity'],
  circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['icon-opacity', 'text-opacity'],
  'fill-extrusion': ['fill-extrusion-opacity'],
  heatmap: ['heatmap-opacity'],
};

function faded(layer: LayerSpecification, opacity: number): Record<string, unknown> {
  const paint: Record<string, unknown> = { ...(layer.paint as Record<string, unknown> | undefined) };
  for (const property of OPACITIES[layer.type] ?? []) paint[property] = scaled(paint[property] ?? 1, opacity);
  return paint;
}

/** An opacity times a number. Zoom must stay the outermost of an expression, so the factor goes to its ends. */
export function scaled(value: unknown, factor: number): unknown {
  if (typeof value === 'number') return value * factor;
  if (!Array.isArray(value)) return value;
  const head: unknown = value[0];
  if (head === 'interpolate' || head === 'interpolate-hcl' || head === 'interpolate-lab') {
    return value.map((part, i) => (i >= 4 && i % 2 === 0 ? scaled(part, factor) : part));
  }
  if (head === 'step') return value.map((part, i) => (i >= 2 && i % 2 === 0 ? scaled(part, factor) : part));
  return ['*', value, factor];
}

function layerChanges(old: LayerSpecification, layer: LayerSpecification): Change[] {
  const found: Change[] = [];
  const visible = layer.layout?.visibility !== 'none';
  if (visible !== (old.layout?.visibility !== 'none'))
    found.push({ kind: 'visibility', layer: layer.id, visible });
  const filter = filterOf(layer);
  if (!same(filter, filterOf(old))) found.push({ kind: 'filter', layer: layer.id, filter });
  const [paint, before] = [record(layer.paint), record(old.paint)];
  for (const property of new Set([...Object.keys(paint), ...Object.keys(before)])) {
    if (!same(paint[property], before[property])) {
      found.push({ kind: 'paint', layer: layer.id, property, value: paint[property] ?? null });
    }
  }
  return found;
}

function filterOf(layer: LayerSpecification): FilterSpecification | null {
  return ('filter' in layer ? layer.filter : null) ?? null;
}

function record(paint: unknown): Record<string, unknown> {
  return (paint ?? {}) as Record<string, unknown>;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
