import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, test } from 'vitest';
import { catalog, style } from '../../test/city.ts';
import { changes, dressed, scaled } from './dress.ts';
import { legendsOf } from './legend.ts';
import { firstLook, withClass, withLayer, withOpacity } from './look.ts';

const plain = style();
const legends = legendsOf(plain);
const look = firstLook(catalog());

describe('dressing the style', () => {
  test('leaves what belongs to no layer alone', () => {
    expect(dressed(plain, legends, look).layers[0]).toBe(plain.layers[0]);
  });

  test('switching a layer changes its visibility and nothing else', () => {
    const before = dressed(plain, legends, look);
    const after = dressed(plain, legends, withLayer(look, 'grids', false));
    expect(changes(before, after)).toEqual([{ kind: 'visibility', layer: 'grids-line', visible: false }]);
    expect(changes(after, before)).toEqual([{ kind: 'visibility', layer: 'grids-line', visible: true }]);
  });

  test('a class switched off joins the filter that was there', () => {
    const after = dressed(plain, legends, withClass(look, 'events', '1', false));
    expect(changes(dressed(plain, legends, look), after)).toEqual([
      {
        kind: 'filter',
        layer: 'events-icon',
        filter: [
          'all',
          ['==', ['get', 'is_open'], true],
          ['!', ['in', ['to-string', ['get', 'level']], ['literal', ['1']]]],
        ],
      },
    ]);
  });

  test('fading keeps zoom outermost', () => {
    const after = dressed(plain, legends, withOpacity(look, 'grids', 0.5));
    expect(changes(dressed(plain, legends, look), after)).toEqual([
      {
        kind: 'paint',
        layer: 'grids-line',
        property: 'line-opacity',
        value: ['interpolate', ['linear'], ['zoom'], 11, 0.25, 14, 0.5],
      },
    ]);
    expect(scaled(['step', ['zoom'], 0, 12, 0.8], 0.5)).toEqual(['step', ['zoom'], 0, 12, 0.4]);
    expect(scaled(['get', 'x'], 0.5)).toEqual(['*', ['get', 'x'], 0.5]);
  });

  test('a dressed style is a valid style', () => {
    const all = withOpacity(withClass(withLayer(look, 'grids', false), 'events', '4', false), 'events', 0.4);
    const sources = { grids: { type: 'vector', url: '/g' }, events: { type: 'vector', url: '/e' } } as const;
    expect(validateStyleMin({ ...dressed(plain, legends, all), sources, sprite: 'https://x/s' })).toEqual([]);
  });
});
