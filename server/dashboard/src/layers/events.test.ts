import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { expect, test } from 'vitest';
import { style } from '../../test/city.ts';
import type { EventItem } from '../api/types.ts';
import { countInView, drawnEvents, withListedEvents } from './events.ts';

function event(fid: number, level: number, lon: number): EventItem {
  return {
    fid,
    event_no: `SJ-${fid}`,
    title: '燃气异味',
    kind: 'gas',
    level,
    state: 'triaged',
    place: null,
    grid_code: null,
    reported_at: '2026-09-18T19:36:20+08:00',
    deadline_at: null,
    closed_at: null,
    overdue: null,
    lon,
    lat: 31.7,
  };
}

const listed = [event(7, 4, 117.3), event(8, 1, 117.4)];

test('what is listed is what is drawn, the urgent on top', () => {
  const drawn = drawnEvents(listed);
  expect(drawn.features.map((f) => f.id)).toEqual([8, 7]);
  expect(drawn.features[1]?.properties).toMatchObject({ level: 4, overdue: false, is_open: true });
});

test('the style takes the list in place of the tiles and stays valid', () => {
  const listedStyle = withListedEvents(style(), drawnEvents(listed));
  const grids = { type: 'vector', url: '/g' } as const;
  const sources = { ...listedStyle.sources, grids };
  expect(validateStyleMin({ ...listedStyle, sources, sprite: 'https://x/s' })).toEqual([]);
  expect(listedStyle.layers.find((l) => l.id === 'events-icon')).not.toHaveProperty('source-layer');
  expect(listedStyle.layers.find((l) => l.id === 'grids-line')).toHaveProperty('source-layer');
});

test('the tree counts the listed events in view, by level', () => {
  expect(countInView(listed, true, [117.2, 31.6, 117.35, 31.8])).toEqual({
    n: 1,
    exact: true,
    classes: { 4: 1 },
  });
});
