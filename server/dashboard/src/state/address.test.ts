import { describe, expect, test } from 'vitest';
import { catalog } from '../../test/city.ts';
import { firstLook, sameLook, withClass, withLayer, withOpacity } from '../layers/look.ts';
import { lookOf, readAddress, writeAddress } from './address.ts';
import { decodeFilter, NO_FILTER } from './filter.ts';

const city = catalog();
const view = { zoom: 15.25, lat: 31.70461, lng: 117.3012, bearing: 30, pitch: 45 };

describe('the address', () => {
  test('opened elsewhere shows the same', () => {
    const look = withOpacity(
      withClass(withLayer(firstLook(city), 'roads', false), 'events', '1', false),
      'grids',
      0.4,
    );
    const state = {
      view,
      theme: 'dark',
      language: 'en',
      selection: { layer: 'grids', fid: 7 },
      place: { area: '990101001001', grid: '990101001001017' },
      filter: decodeFilter('24h.overdue'),
      look,
      catalog: city,
      wall: 30,
    } as const;
    const read = readAddress(writeAddress(state));
    expect(read).toMatchObject({
      view,
      theme: 'dark',
      language: 'en',
      selection: state.selection,
      place: state.place,
      filter: '24h.overdue',
      wall: 30,
    });
    expect(sameLook(lookOf(read, city), look)).toBe(true);
  });

  test('says nothing of layers while they are as they come', () => {
    const search = writeAddress({
      view: null,
      theme: 'light',
      language: 'zh',
      selection: null,
      place: { area: null, grid: null },
      filter: NO_FILTER,
      look: firstLook(city),
      catalog: city,
      wall: null,
    });
    expect(search).toBe('?theme=light&lang=zh');
  });

  test.each([
    '?v=99/31/117',
    '?v=a/b/c',
    '?v=15/91/117',
    '?v=15',
    '?sel=../1',
    '?sel=grids/x',
    '?theme=pink&lang=fr',
    '?area=x&grid=17',
    '?wall=round',
    '?wall=0',
  ])('nonsense is as good as nothing: %s', (search) => {
    expect(readAddress(search)).toEqual({
      view: null,
      theme: null,
      language: null,
      selection: null,
      place: { area: null, grid: null },
      filter: '',
      look: null,
      wall: null,
    });
  });

  test('layers that are unknown or not allowed are left out', () => {
    const look = lookOf(readAddress('?on=grids.cameras.secret&fade=grids:40.secret:10&hide=secret:1'), city);
    expect([...look.on]).toEqual(['grids']);
    expect([...look.opacity]).toEqual([['grids', 0.4]]);
    expect([...look.hidden]).toEqual([]);
  });
});
