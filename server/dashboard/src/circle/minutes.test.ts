import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHANGE, changeOf, classOf, edgesOf, labelsOf, N_CLASSES, spread } from './minutes.ts';
import { changeRamp, RAMP, roof } from './ramp.ts';

const MINUTE = 60;

describe('classes of walking time', () => {
  test('ten minutes give the classes of the picture', () => {
    expect(labelsOf(edgesOf(10 * MINUTE))).toEqual(['0–3', '3–5', '5–7.5', '7.5–10', '10–15', '> 15']);
  });

  test.each([30, 63, 70, 270, 375, 450, 600, 900, 1800])(
    'a limit of %i s is an edge, and edges rise',
    (limit) => {
      const edges = edgesOf(limit);
      expect(edges[3]).toBe(limit);
      expect(edges).toHaveLength(N_CLASSES - 1);
      for (let i = 1; i < edges.length; i += 1) expect(edges[i]).toBeGreaterThan(edges[i - 1] ?? 0);
    },
  );

  test('a walk of exactly the limit is inside it, one of a second more is not', () => {
    const edges = edgesOf(600);
    expect([classOf(600, edges), classOf(601, edges)]).toEqual([3, 4]);
  });

  test('who cannot get there is in the last class', () => {
    expect(classOf(null, edgesOf(600))).toBe(N_CLASSES - 1);
  });

  test('the bars hold everybody', () => {
    const bars = spread([0, 600, 601, 5000, null], [1, 10, 100, 1000, 10_000], edgesOf(600));
    expect(bars).toEqual([1, 0, 0, 10, 100, 11_000]);
  });
});

describe('who gains and who loses', () => {
  test.each([
    [700, 500, CHANGE.won],
    [null, 500, CHANGE.won],
    [500, 700, CHANGE.lost],
    [500, null, CHANGE.lost],
    [500, 300, CHANGE.faster],
    [900, 700, CHANGE.faster],
    [null, 700, CHANGE.faster],
    [300, 500, CHANGE.slower],
    [500, 502, CHANGE.same],
    [null, null, CHANGE.same],
  ])('%s s, then %s s', (before, after, change) => {
    expect(changeOf(before, after, 600)).toBe(change);
  });

  test('has a colour for each class but the unchanged', () => {
    const { same, ...changes } = CHANGE;
    for (const theme of ['light', 'dark'] as const) {
      const ramp = changeRamp(theme);
      expect(Object.keys(ramp).map(Number).sort()).toEqual(Object.values(changes).sort());
      expect(ramp[same]).toBeUndefined();
    }
  });
});

describe('the ramp', () => {
  test.each(['light', 'dark'] as const)('of the %s theme is the one of the server', (theme) => {
    const path = join(import.meta.dirname, '../../../../tiles/styles', `${theme}.json`);
    const { tokens } = JSON.parse(readFileSync(path, 'utf8')) as { tokens: Record<string, string> };
    expect(RAMP[theme]).toEqual(RAMP[theme].map((_, k) => tokens[`ramp.minutes.${k}`]));
  });

  test('a roof is told a little darker than it is to look', () => {
    expect(roof('#075E57')).toBe('#00564f');
  });
});
