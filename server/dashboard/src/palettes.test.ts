import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Color, converter, differenceCiede2000, differenceEuclidean, parse } from 'culori';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const STYLES = join(ROOT, 'tiles/styles');
const SYMBOLS = join(ROOT, 'tiles/sprites');

/** Smallest difference (CIE76, as in screens.md section 2) that two colours of a palette may have to an eye; whole. */
const LEAST = 14;

const linear = converter('lrgb');

/** How the world looks to an eye: Machado, Oliveira, Fernandes 2009, table 1, full severity; on linear light. */
const EYES: Readonly<Record<string, (colour: Color) => Color>> = {
  'normal sight': (colour) => colour,
  protanopia: seen([
    0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998,
  ]),
  deuteranopia: seen([
    0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881,
  ]),
  tritanopia: seen([
    1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039,
  ]),
};

/** Rows of red, green, blue. */
function seen(matrix: readonly number[]): (colour: Color) => Color {
  return (colour) => {
    const { r, g, b } = linear(colour);
    const row = (at: number): number => {
      const [x = 0, y = 0, z = 0] = matrix.slice(at, at + 3);
      return Math.min(1, Math.max(0, x * r + y * g + z * b));
    };
    return { mode: 'lrgb', r: row(0), g: row(3), b: row(6) };
  };
}

const difference = differenceEuclidean('lab65');
const subtle = differenceCiede2000();

function tokens(theme: string): Readonly<Record<string, string>> {
  const style: { tokens: Record<string, string> } = JSON.parse(
    readFileSync(join(STYLES, `${theme}.json`), 'utf8'),
  );
  return style.tokens;
}

function colour(text: string): Color {
  const found = parse(text);
  if (!found) throw new Error(`${text} is no colour.`);
  return found;
}

/** Colours that stand side by side on the map, and are told apart by colour alone or by colour and shape. */
const PALETTES: Readonly<Record<string, RegExp>> = {
  levels: /^event\.\d\.fill$/,
  cameras: /^camera\.(tianwang|xueliang|property|childcare|vehicle)$/,
  'QR points': /^qr\.(patrol|building|household|merchant|river)$/,
};

describe.each(['dark', 'light'])('%s', (theme) => {
  const all = Object.entries(tokens(theme));

  describe.each(Object.entries(PALETTES))('%s', (_, pattern) => {
    const members = all.filter(([name]) => pattern.test(name));
    const pairs = members.flatMap(([a, x], i) => members.slice(i + 1).map(([b, y]) => [a, b, x, y] as const));

    test('there are colours to tell apart', () => expect(pairs.length).toBeGreaterThanOrEqual(3));

    test.each(Object.entries(EYES))('are told apart with %s', (eye, see) => {
      const close = pairs
        .map(([a, b, x, y]) => ({ pair: `${a} ${b}`, apart: difference(see(colour(x)), see(colour(y))) }))
        .filter(({ apart }) => Math.round(apart) < LEAST)
        .map(({ pair, apart }) => `${pair}: ${apart.toFixed(1)} (${eye})`);
      expect(close).toEqual([]);
    });
  });

  test.each(['heat', 'coverage', 'minutes', 'difference'])(
    'neighbours on the ramp %s are told apart',
    (ramp) => {
      const steps = all
        .filter(([name]) => name.startsWith(`ramp.${ramp}.`))
        .map(([, value]) => colour(value));
      expect(steps.length).toBeGreaterThanOrEqual(6);
      for (const see of Object.values(EYES)) {
        for (const [i, step] of steps.slice(1).entries())
          expect(subtle(see(steps[i] ?? step), see(step))).toBeGreaterThan(4);
      }
    },
  );
});

/** What screens.md says of its palettes: the smallest distance in normal, protan, deutan and tritan sight. */
const PUBLISHED = [
  ['dark', 'cameras', [37, 20, 24, 23]],
  ['dark', 'QR points', [48, 27, 24, 21]],
  ['dark', 'levels', [36, 26, 14, 29]],
  ['light', 'cameras', [52, 24, 31, 20]],
  ['light', 'QR points', [52, 25, 22, 20]],
  ['light', 'levels', [33, 32, 22, 18]],
] as const;

test.each(PUBLISHED)('%s %s are as far apart as published', (theme, palette, distances) => {
  const members = Object.entries(tokens(theme)).filter(([name]) => PALETTES[palette]?.test(name));
  const least = Object.values(EYES).map((see) => {
    const seen = members.map(([, value]) => see(colour(value)));
    return Math.min(...seen.flatMap((x, i) => seen.slice(i + 1).map((y) => difference(x, y))));
  });
  for (const [i, distance] of distances.entries())
    expect(Math.abs((least[i] ?? 0) - distance)).toBeLessThan(1.5);
});

test('every class has a shape of its own beside its colour', () => {
  const parts = readFileSync(join(SYMBOLS, 'parts.toml'), 'utf8');
  for (const family of ['event', 'camera', 'qr', 'responder']) {
    const shapes = [
      ...parts.matchAll(new RegExp(`^\\[${family}\\.[^\\]]+\\]\\n(?:size = .*\\n)?shape = (.*)$`, 'gm')),
    ];
    expect(shapes.length).toBeGreaterThanOrEqual(4);
    expect(new Set(shapes.map(([, shape]) => shape)).size).toBe(shapes.length);
  }
});
