import type { StyleSpecification } from 'maplibre-gl';
import type { Catalog, Field, Layer } from '../src/api/types.ts';

/** A catalogue small enough to read: three groups, four layers, one of them not for us. */
export function catalog(): Catalog {
  return {
    demo: true,
    bounds: [117.28, 31.69, 117.32, 31.72],
    groups: [
      { name: 'base', title: { zh: '基础', en: 'Base' } },
      { name: 'sensing', title: { zh: '感知', en: 'Sensing' } },
      { name: 'events', title: { zh: '事件', en: 'Events' } },
    ],
    layers: [
      layer('grids', 'base', 'MultiPolygon', [text('grid_no')], 11),
      layer('roads', 'base', 'LineString', [text('name')], 8),
      { ...layer('cameras', 'sensing', 'Point', [text('place')], 11), allowed: false },
      layer('events', 'events', 'Point', [text('title'), level()], 8),
    ],
  };
}

export function layer(
  name: string,
  group: string,
  geometry: Layer['geometry'],
  fields: readonly Field[],
  minZoom: number,
): Layer {
  return {
    name,
    group,
    title: { zh: `${name}层`, en: name },
    description: { zh: name, en: name },
    geometry,
    class: 'public',
    allowed: true,
    min_zoom: minZoom,
    max_zoom: 16,
    label: fields[0]?.name ?? null,
    time: null,
    key: 'id',
    fields: [text('id'), ...fields],
    n_features: 10,
    bounds: null,
  };
}

export function text(name: string): Field {
  return { name, type: 'text', title: { zh: `${name}字段`, en: name }, unit: null, codes: null };
}

export function level(): Field {
  const codes = [
    { value: '1', title: { zh: '一般', en: 'General' } },
    { value: '4', title: { zh: '特别重大', en: 'Especially major' } },
  ];
  return { name: 'level', type: 'integer', title: { zh: '级别', en: 'Level' }, unit: null, codes };
}

/** A style of three layers: a ground of nobody's, grids, and events in two classes. */
export function style(): StyleSpecification {
  return {
    version: 8,
    sources: { grids: { type: 'vector' }, events: { type: 'vector' } },
    layers: [
      { id: 'land', type: 'background', paint: { 'background-color': '#eee' } },
      {
        id: 'grids-line',
        type: 'line',
        source: 'grids',
        'source-layer': 'grids',
        metadata: { 'onemap:layer': 'grids', 'onemap:legend': { symbol: 'swatch-grids', items: [] } },
        paint: { 'line-opacity': ['interpolate', ['linear'], ['zoom'], 11, 0.5, 14, 1] },
      },
      {
        id: 'events-icon',
        type: 'symbol',
        source: 'events',
        'source-layer': 'events',
        filter: ['==', ['get', 'is_open'], true],
        metadata: {
          'onemap:layer': 'events',
          'onemap:legend': {
            field: 'level',
            items: [
              { symbol: 'event-4', value: 4, title: { zh: '特别重大', en: 'Especially major' } },
              { symbol: 'event-1', value: 1 },
            ],
          },
        },
      },
    ],
  };
}
