import type { Catalog, Count, Layer, Title } from '../api/types.ts';
import type { Legend } from './legend.ts';
import type { Look } from './look.ts';

export type Tri = 'on' | 'off' | 'some';

/** What stands right of a layer's name. */
export type Amount =
  | { readonly kind: 'count'; readonly n: number; readonly exact: boolean }
  | { readonly kind: 'zoom-in' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'loading' };

export interface ClassRow {
  /** What is switched; null where the line only explains a symbol. */
  readonly value: string | null;
  readonly title: Title;
  readonly symbol: string;
  readonly on: boolean;
  readonly n: number | null;
}

export interface LayerRow {
  readonly layer: Layer;
  readonly symbol: string | null;
  readonly on: boolean;
  readonly opacity: number;
  readonly amount: Amount;
  readonly classes: readonly ClassRow[];
}

export interface GroupRow {
  readonly name: string;
  readonly title: Title;
  readonly state: Tri;
  readonly rows: readonly LayerRow[];
}

/** The layer tree: the catalogue's groups and layers, as the reader has set them and the map shows them. */
export function treeOf(
  catalog: Catalog,
  legends: ReadonlyMap<string, Legend>,
  look: Look,
  counts: Readonly<Record<string, Count>> | null,
  zoom: number,
): readonly GroupRow[] {
  return catalog.groups
    .map((group) => {
      const rows = catalog.layers
        .filter((layer) => layer.group === group.name)
        .map((layer) => layerRow(layer, legends.get(layer.name), look, counts?.[layer.name], zoom));
      return { name: group.name, title: group.title, state: triState(rows), rows };
    })
    .filter((group) => group.rows.length > 0);
}

function layerRow(
  layer: Layer,
  legend: Legend | undefined,
  look: Look,
  count: Count | undefined,
  zoom: number,
): LayerRow {
  return {
    layer,
    symbol: legend?.symbol ?? legend?.items[0]?.symbol ?? null,
    on: layer.allowed && look.on.has(layer.name),
    opacity: look.opacity.get(layer.name) ?? 1,
    amount: amountOf(layer, count, zoom),
    classes: legend ? classRows(layer, legend, look, count) : [],
  };
}

function amountOf(layer: Layer, count: Count | undefined, zoom: number): Amount {
  if (!layer.allowed) return { kind: 'denied' };
  if (zoom < layer.min_zoom) return { kind: 'zoom-in' };
  return count ? { kind: 'count', n: count.n, exact: count.exact } : { kind: 'loading' };
}

function classRows(layer: Layer, legend: Legend, look: Look, count: Count | undefined): readonly ClassRow[] {
  const codes = layer.fields.find((f) => f.name === legend.field)?.codes ?? [];
  return legend.items.flatMap((item): ClassRow[] => {
    const title = item.title ?? codes.find((c) => c.value === item.value)?.title;
    if (!title) return [];
    return [
      {
        value: item.value,
        title,
        symbol: item.symbol,
        on: item.value === null || !look.hidden.has(`${layer.name}:${item.value}`),
        n: item.value !== null && count?.classes ? (count.classes[item.value] ?? 0) : null,
      },
    ];
  });
}

/** Whether all, none or some of the layers that the reader may see are on. */
export function triState(rows: readonly { readonly layer: Layer; readonly on: boolean }[]): Tri {
  const allowed = rows.filter((row) => row.layer.allowed);
  const on = allowed.filter((row) => row.on).length;
  return on === 0 ? 'off' : on === allowed.length ? 'on' : 'some';
}
