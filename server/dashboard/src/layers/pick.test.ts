import { describe, expect, test } from 'vitest';
import { catalog } from '../../test/city.ts';
import { clickOn, type Hit, hitTitle } from './pick.ts';

const city = catalog();

function hit(layer: string, fid: number | null, more: Partial<Hit> = {}): Hit {
  return { layer, fid, properties: {}, distance: 0, at: [117.3, 31.7], size: 0, ...more };
}

describe('a click', () => {
  test('on nothing of ours is nothing', () => {
    expect(clickOn([hit('unknown', 1)], city)).toEqual({ kind: 'nothing' });
  });

  test('on a point in a grid opens the point and offers the grid', () => {
    const [grid, event] = [hit('grids', 10), hit('events', 7)];
    expect(clickOn([grid, event], city)).toEqual({ kind: 'one', hit: event, also: [grid] });
  });

  test('on several points offers a choice, nearest first', () => {
    const [far, near, road] = [
      hit('events', 1, { distance: 7 }),
      hit('events', 2, { distance: 1 }),
      hit('roads', 3),
    ];
    expect(clickOn([far, road, near], city)).toEqual({ kind: 'several', hits: [near, far], also: [road] });
  });

  test('on a building under a hatch opens the building, though the grid is drawn above', () => {
    const [hatch, building] = [hit('grids', 10, { size: 1e-5 }), hit('grids', 11, { size: 1e-8 })];
    expect(clickOn([hatch, building], city)).toEqual({ kind: 'one', hit: building, also: [hatch] });
  });

  test('finds a feature once though several of its drawings were hit', () => {
    const grid = hit('grids', 10);
    expect(clickOn([grid, hit('grids', 10)], city)).toEqual({ kind: 'one', hit: grid, also: [] });
  });

  test('on a cluster spreads it', () => {
    const cluster = hit('events', null, { properties: { point_count: 24 } });
    expect(clickOn([cluster, hit('grids', 10)], city)).toEqual({ kind: 'cluster', hit: cluster });
  });

  test('a hit is named by its layer’s label, else by its key', () => {
    expect(hitTitle(hit('grids', 1, { properties: { grid_no: '10', id: 'x' } }), city)).toBe('10');
    expect(hitTitle(hit('grids', 1, { properties: { id: 'x' } }), city)).toBe('x');
    expect(hitTitle(hit('grids', 1), city)).toBeNull();
  });
});
