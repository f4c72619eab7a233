import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Title } from '../api/types.ts';

/** One line of the legend: a symbol that the style itself draws, and what it stands for. */
export interface LegendItem {
  /** Name under /tiles/symbols/{theme}/. */
  readonly symbol: string;
  readonly title: Title | null;
  /** The value of the layer's class field that this line stands for. */
  readonly value: string | null;
}

export interface Legend {
  /** The symbol of the layer as a whole. */
  readonly symbol: string | null;
  /** The field that divides the layer into classes; null where the layer is drawn in one way. */
  readonly field: string | null;
  readonly items: readonly LegendItem[];
}

/** The catalogue's layer that a style layer draws. */
export function ownerOf(layer: LayerSpecification): string | null {
  const metadata = (layer as { metadata?: unknown }).metadata;
  const owner = isRecord(metadata) ? metadata['onemap:layer'] : undefined;
  return typeof owner === 'string' ? owner : null;
}

/** The source that a layer of the catalogue is drawn from; several layers may share one. */
export function sourceFor(layers: readonly LayerSpecification[], name: string): string | null {
  const drawn = layers.find((layer) => ownerOf(layer) === name && 'source' in layer);
  return drawn && 'source' in drawn ? String(drawn.source) : null;
}

/** The legend of every layer of the catalogue, as the style's own metadata tells it. */
export function legendsOf(style: StyleSpecification): ReadonlyMap<string, Legend> {
  const legends = new Map<string, Legend>();
  for (const layer of style.layers) {
    const owner = ownerOf(layer);
    const told = isRecord(layer.metadata) ? layer.metadata['onemap:legend'] : undefined;
    if (owner === null || !isRecord(told)) continue;
    legends.set(owner, merged(legends.get(owner), legend(told)));
  }
  return legends;
}

/** The address of a symbol as a picture. */
export function symbolUrl(theme: string, symbol: string): string {
  return `/tiles/symbols/${theme}/${encodeURIComponent(symbol)}.svg`;
}

function legend(told: Record<string, unknown>): Legend {
  const items = Array.isArray(told.items) ? told.items.filter(isRecord).map(item) : [];
  return { symbol: text(told.symbol), field: text(told.field), items };
}

function item(told: Record<string, unknown>): LegendItem {
  return { symbol: text(told.symbol) ?? '', title: title(told.title), value: text(told.value) };
}

function merged(first: Legend | undefined, second: Legend): Legend {
  if (!first) return second;
  return {
    symbol: first.symbol ?? second.symbol,
    field: first.field ?? second.field,
    items: [...first.items, ...second.items],
  };
}

function title(told: unknown): Title | null {
  if (!isRecord(told)) return null;
  const [zh, en] = [text(told.zh), text(told.en)];
  return zh && en ? { zh, en } : null;
}

function text(told: unknown): string | null {
  return typeof told === 'string'
    ? told
    : typeof told === 'number' || typeof told === 'boolean'
      ? String(told)
      : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
