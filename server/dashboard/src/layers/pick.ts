import type { Catalog, Geometry, LngLat, Value } from '../api/types.ts';

/** Something that was drawn where the reader clicked. */
export interface Hit {
  readonly layer: string;
  readonly fid: number | null;
  readonly properties: Readonly<Record<string, Value>>;
  /** Pixels between the click and a point's place; 0 for lines and surfaces. */
  readonly distance: number;
  readonly at: LngLat;
  /** Square degrees of the box about what was drawn; 0 for points. Small things lie on large ones. */
  readonly size: number;
}

export type Click =
  | { readonly kind: 'nothing' }
  /** A disc that stands for many; the map spreads it. */
  | { readonly kind: 'cluster'; readonly hit: Hit }
  | { readonly kind: 'one'; readonly hit: Hit; readonly also: readonly Hit[] }
  | { readonly kind: 'several'; readonly hits: readonly Hit[]; readonly also: readonly Hit[] };

/** At most so many are offered; more cannot be told apart by a list either. */
const OFFERED = 8;

/**
 * What a click means. Hits come topmost first. Points win over lines, lines over surfaces, small surfaces over
 * large ones (a building over its grid, though the grid's hatch is drawn above it). Of the winning kind one is opened, several points are offered for choice, and what lies below is offered in the card.
 */
export function clickOn(hits: readonly Hit[], catalog: Catalog): Click {
  const known = distinct(hits, catalog);
  const cluster = known.find((hit) => isCluster(hit));
  const single = known.filter((hit) => !isCluster(hit));
  const points = single.filter((hit) => rankOf(hit, catalog) === 0).sort((a, b) => a.distance - b.distance);
  if (cluster && points.length === 0) return { kind: 'cluster', hit: cluster };
  const ranked = [...points, ...rest(single, catalog)];
  const [first] = ranked;
  if (!first) return { kind: 'nothing' };
  if (points.length > 1) {
    return {
      kind: 'several',
      hits: points.slice(0, OFFERED),
      also: ranked.slice(points.length).slice(0, OFFERED),
    };
  }
  return { kind: 'one', hit: first, also: ranked.slice(1, 1 + OFFERED) };
}

/** Tiles join points below a zoom and then carry the number joined. */
export function isCluster(hit: Hit): boolean {
  return typeof hit.properties.point_count === 'number';
}

function rest(hits: readonly Hit[], catalog: Catalog): readonly Hit[] {
  const of = (rank: number): readonly Hit[] => hits.filter((hit) => rankOf(hit, catalog) === rank);
  return [...of(1), ...of(2).toSorted((a, b) => a.size - b.size)];
}

function rankOf(hit: Hit, catalog: Catalog): 0 | 1 | 2 {
  const geometry = catalog.layers.find((l) => l.name === hit.layer)?.geometry;
  return geometry ? RANK[geometry] : 2;
}

const RANK: Record<Geometry, 0 | 1 | 2> = {
  Point: 0,
  LineString: 1,
  MultiLineString: 1,
  Polygon: 2,
  MultiPolygon: 2,
};

/** Each feature once; a surface cut by tiles counts with its largest piece. */
function distinct(hits: readonly Hit[], catalog: Catalog): readonly Hit[] {
  const names = new Set(catalog.layers.map((l) => l.name));
  const found = new Map<string, Hit>();
  for (const hit of hits) {
    const key = `${hit.layer}/${hit.fid ?? JSON.stringify(hit.at)}`;
    const before = found.get(key);
    if (names.has(hit.layer)) found.set(key, before && before.size >= hit.size ? before : hit);
  }
  return [...found.values()];
}

/** What a hit is called before its card is fetched: the layer's label, else its key. */
export function hitTitle(hit: Hit, catalog: Catalog): string | null {
  const layer = catalog.layers.find((l) => l.name === hit.layer);
  const named = layer?.label ? hit.properties[layer.label] : null;
  const keyed = layer ? hit.properties[layer.key] : null;
  const title = named ?? keyed;
  return title === null || title === undefined || title === '' ? null : String(title);
}
