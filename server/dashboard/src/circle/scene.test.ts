import { describe, expect, test } from 'vitest';
import { style } from '../../test/city.ts';
import { veilOverlay } from './drawn.ts';
import { circleStyle, classesAsExpression } from './dress.ts';
import { CHANGE } from './minutes.ts';
import { keepTrial, savedTrials } from './saved.ts';
import {
  classesOf,
  handlesOf,
  MOST_HANDLES,
  nearestTo,
  placesOf,
  type Scene,
  secondsAfter,
} from './scene.ts';
import { minutes, percent, shareOf, signed, wholeMinutes } from './text.ts';
import type { Columns, Facility, WhatIf } from './types.ts';

const COLUMNS: Columns = {
  fid: [7, 8, 9],
  seconds: [100, 700, null],
  metres: [110, 780, null],
  households: [10, 20, 30],
  persons: [25, 50, 75],
};

const FACILITIES: readonly Facility[] = [
  { fid: 1, title: 'one', point: [117.3, 31.7], on_network: true },
  { fid: 2, title: 'two', point: [117.31, 31.7], on_network: true },
];

function answered(changed: WhatIf['changed']): WhatIf {
  const totals = { households_covered: 0, persons_covered: 0, share: 0, mean_s: 0 };
  const nobody = { households: 0, persons: 0 };
  return {
    households: 60,
    persons: 150,
    before: totals,
    after: totals,
    changed,
    gained: nobody,
    lost: nobody,
    uncovered: nobody,
    gaps: [],
    isochrones: null,
    assumptions: [],
    ms: 1,
  };
}

function scene(changes: Scene['changes']): Scene {
  const words = {
    proposed: (label: string) => `new ${label}`,
    facility: (title: string) => title,
    moved: (title: string) => `${title} moved`,
    closed: (title: string) => `${title} closed`,
    site: (label: string) => `site ${label}`,
    gate: () => 'gate',
  };
  const site = { label: 'A', point: [117.3, 31.71] as const, title: 'x' };
  const gains = { gain_households: 1, gain_persons: 2, alone_households: 1, alone_persons: 2 };
  return {
    facilities: FACILITIES,
    changes,
    sites: [{ ...site, ...gains }],
    symbol: '/s.svg',
    chosen: null,
    tip: null,
    words,
  };
}

describe('a trial on the map', () => {
  test('changes what it names and nothing else', () => {
    const after = secondsAfter(COLUMNS, placesOf(COLUMNS), answered({ fid: [8, 99], seconds: [500, 1] }));
    expect(after).toEqual([100, 500, null]);
    expect(COLUMNS.seconds).toEqual([100, 700, null]);
  });

  test('shows minutes, or who gains', () => {
    const after = [100, 500, null];
    expect(classesOf(COLUMNS, after, [180, 300, 450, 600, 900], 600, 'minutes')).toEqual([0, 3, 5]);
    expect(classesOf(COLUMNS, after, [180, 300, 450, 600, 900], 600, 'change')).toEqual([
      CHANGE.same,
      CHANGE.won,
      CHANGE.same,
    ]);
  });

  test('a facility stands where it was moved to; a closed one cannot be moved', () => {
    const [first, second] = handlesOf(
      scene([
        { op: 'move', fid: 1, point: [117.4, 31.8] },
        { op: 'close', fid: 2 },
      ]),
    );
    expect(first).toMatchObject({
      key: 'f1',
      at: [117.4, 31.8],
      look: 'trial',
      label: 'one moved',
      movable: true,
    });
    expect(second).toMatchObject({ key: 'f2', look: 'closed', movable: false });
  });

  test('a proposed site is a letter until it is placed', () => {
    const keys = (changes: Scene['changes']): string[] => handlesOf(scene(changes)).map((one) => one.key);
    expect(keys([])).toEqual(['f1', 'f2', 'sA']);
    expect(keys([{ op: 'add', label: 'A', point: [117.3, 31.71] }])).toEqual(['f1', 'f2', 'c0']);
  });

  test('of very many facilities those nearest are shown', () => {
    const many = Array.from({ length: MOST_HANDLES + 50 }, (_, fid) => ({
      fid,
      title: String(fid),
      point: [117 + fid / 1000, 31] as const,
      on_network: true,
    }));
    const shown = nearestTo(many, [117.35, 31]);
    expect(shown).toHaveLength(MOST_HANDLES);
    expect(shown[0]?.fid).toBe(350 - 1);
  });
});

describe('the style', () => {
  test('keeps the ground and drops what this page does not show, with its tiles', () => {
    const dressed = circleStyle(style(), 'light');
    expect(dressed.layers.map((layer) => layer.id)).toEqual(['land', 'grids-line']);
    expect(Object.keys(dressed.sources)).toEqual(['grids']);
  });

  test('for paper names each feature once', () => {
    expect(classesAsExpression([1, 2, 1, 3], [0, 5, 4, 0])).toEqual([
      'match',
      ['id'],
      [1, 3],
      0,
      [2],
      5,
      CHANGE.same,
    ]);
    expect(classesAsExpression([], [])).toBeNull();
  });

  test('a veil has a hole where the area is', () => {
    const ring = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ];
    const outline = {
      type: 'FeatureCollection' as const,
      features: [
        {
          type: 'Feature' as const,
          properties: {},
          geometry: { type: 'MultiPolygon' as const, coordinates: [[ring]] },
        },
      ],
    };
    const { data } = veilOverlay(outline, { accent: '#000', halo: '#fff', veil: '#999' });
    const geometry = data.features[0]?.geometry;
    expect(geometry?.type === 'Polygon' ? geometry.coordinates.length : 0).toBe(2);
  });
});

describe('numbers in words', () => {
  test('a share is never rounded to all or to none', () => {
    expect([percent(0.99999), percent(1), percent(0.00001), percent(0), percent(null)]).toEqual([
      '99.9',
      '100.0',
      '0.1',
      '0.0',
      '—',
    ]);
  });

  test('nothing of nothing is no share', () => {
    expect([shareOf(0, 0), shareOf(null, 5), shareOf(2, 4)]).toEqual([null, null, 0.5]);
  });

  test('gains and losses bear their sign', () => {
    expect([signed(2526, 'zh'), signed(-264, 'en'), signed(0, 'zh'), signed(null, 'zh')]).toEqual([
      '+2,526',
      '−264',
      '0',
      '—',
    ]);
  });

  test('minutes are rounded, the farthest walk upwards', () => {
    expect([minutes(396), wholeMinutes(721), wholeMinutes(720), minutes(null)]).toEqual([
      '6.6',
      '13',
      '12',
      '—',
    ]);
  });
});

test('trials are kept by name, the newest first; a store of nonsense is empty', () => {
  const kept = new Map<string, string>();
  const store = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage;
  for (const [name, search] of [
    ['a', '?1'],
    ['b', '?2'],
    ['a', '?3'],
  ] as const)
    expect(keepTrial({ name, search, at: '2026-11-22T08:00:00Z' }, store)).toBe(true);
  expect(savedTrials(store).map((one) => one.name + one.search)).toEqual(['a?3', 'b?2']);
  store.setItem('onemap.circle.saved', '{"not": "a list"}');
  expect(savedTrials(store)).toEqual([]);
  expect(keepTrial({ name: 'a', search: '', at: '' }, null)).toBe(false);
});
