import { describe, expect, test } from 'vitest';
import { catalog } from '../../test/city.ts';
import { firstLook, withClass } from '../layers/look.ts';
import {
  decodeFilter,
  type EventFilter,
  encodeFilter,
  eventQuery,
  isFiltered,
  levelsOf,
  NO_FILTER,
} from './filter.ts';

const NOW = Date.UTC(2026, 8, 18, 11, 42, 8);
const ANYWHERE = { area: null, grid: null };
const ALL = levelsOf(firstLook(catalog()));

function asked(filter: EventFilter, place = ANYWHERE, levels = ALL): string {
  return decodeURIComponent(eventQuery(filter, place, levels, [117, 31, 118, 32], NOW).toString());
}

describe('the event filter', () => {
  test('without a word asks for what is open', () => {
    expect(asked(NO_FILTER)).toBe('is_open=true');
    expect(isFiltered(NO_FILTER)).toBe(false);
  });

  test('a grid is narrower than its area', () => {
    expect(asked(NO_FILTER, { area: '990101001001', grid: null } as never)).toContain('area=990101001001');
    expect(asked(NO_FILTER, { area: '990101001001', grid: '990101001001017' } as never)).toBe(
      'grid_code=990101001001017&is_open=true',
    );
  });

  test('levels follow the layer tree', () => {
    const look = withClass(firstLook(catalog()), 'events', '1', false);
    expect(asked(NO_FILTER, ANYWHERE, levelsOf(look))).toBe('is_open=true&level=4&level=3&level=2');
  });

  test('time, lateness and view narrow the list', () => {
    const filter = decodeFilter('24h.overdue.view.closed');
    expect(asked(filter)).toBe(
      'since=2026-09-17T11:42:08.000Z&overdue=true&bbox=117.000000,31.000000,118.000000,32.000000',
    );
  });

  test.each([
    '',
    '7d',
    'today.closed',
    '1763780000-1763790000.overdue',
    'view.kind:gas.kind:noise.state:triaged',
  ])('the address keeps it: "%s"', (word) => {
    expect(encodeFilter(decodeFilter(word))).toBe(word);
  });

  test('a time that ends before it begins is no time', () => {
    expect(decodeFilter('200-100').time).toEqual({ kind: 'any' });
  });
});
