import { describe, expect, test } from 'vitest';
import { catalog, style } from '../../test/city.ts';
import { legendsOf } from './legend.ts';
import { firstLook, onlyThis, withClass, withGroup, withLayer } from './look.ts';
import { treeOf, triState } from './tree.ts';

const legends = legendsOf(style());

function tree(look = firstLook(catalog()), zoom = 15, counts: Parameters<typeof treeOf>[3] = null) {
  return treeOf(catalog(), legends, look, counts, zoom);
}

describe('the layer tree', () => {
  test('has the catalogue’s groups in their order, each with its layers', () => {
    expect(tree().map((g) => [g.name, g.rows.map((r) => r.layer.name)])).toEqual([
      ['base', ['grids', 'roads']],
      ['sensing', ['cameras']],
      ['events', ['events']],
    ]);
  });

  test('a layer that the reader may not see is off, counts nothing and stays off with its group', () => {
    const look = withGroup(
      firstLook(catalog()),
      catalog().layers.filter((l) => l.group === 'sensing'),
      true,
    );
    const cameras = tree(look, 15, { cameras: { n: 0, exact: true } })[1]?.rows[0];
    expect(cameras?.on).toBe(false);
    expect(cameras?.amount).toEqual({ kind: 'denied' });
  });

  test('zoomed out too far says so instead of a number', () => {
    const base = tree(firstLook(catalog()), 9, {
      grids: { n: 29, exact: true },
      roads: { n: 5, exact: false },
    })[0];
    expect(base?.rows.map((r) => r.amount)).toEqual([
      { kind: 'zoom-in' },
      { kind: 'count', n: 5, exact: false },
    ]);
  });

  test('a group is on, off or in between by the layers one may see', () => {
    const look = firstLook(catalog());
    const some = withLayer(look, 'roads', false);
    expect(tree(look)[0]?.state).toBe('on');
    expect(tree(some)[0]?.state).toBe('some');
    expect(tree(withLayer(some, 'grids', false))[0]?.state).toBe('off');
    expect(triState([])).toBe('off');
  });

  test('classes come from the style’s legend, named by it or by the code list', () => {
    const look = withClass(firstLook(catalog()), 'events', '1', false);
    const events = tree(look, 15, { events: { n: 3, exact: true, classes: { '4': 3 } } })[2]?.rows[0];
    expect(events?.symbol).toBe('event-4');
    expect(events?.classes.map((c) => [c.value, c.title.zh, c.on, c.n])).toEqual([
      ['4', '特别重大', true, 3],
      ['1', '一般', false, 0],
    ]);
  });

  test('“only this” keeps the ground that was on', () => {
    const look = onlyThis(withLayer(firstLook(catalog()), 'roads', false), catalog(), 'events');
    expect([...look.on].sort()).toEqual(['events', 'grids']);
  });
});
