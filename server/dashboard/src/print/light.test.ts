import { expect, test } from 'vitest';
import { repainted } from './light.ts';

test('colours that are tokens become their namesakes, others stay', () => {
  const overlay = {
    data: { type: 'FeatureCollection' as const, features: [] },
    paints: [
      {
        name: 'cells',
        slot: 'choropleth' as const,
        type: 'fill' as const,
        paint: {
          'fill-color': ['match', ['get', 'c'], 0, '#1D2B4A', 'transparent'] as never,
          'fill-opacity': 0.5,
        },
      },
    ],
  };
  const light = repainted(overlay, new Map([['--heat-0', '#1d2b4a']]), new Map([['--heat-0', '#fce9c8']]));
  expect(light.paints[0]?.paint).toEqual({
    'fill-color': ['match', ['get', 'c'], 0, '#fce9c8', 'transparent'],
    'fill-opacity': 0.5,
  });
});
