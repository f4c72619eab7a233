import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const CSS = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');

type Tokens = Record<string, string>;

function tokens(theme: string): Tokens {
  const block = new RegExp(`data-theme="${theme}"\\] \\{([^}]*)\\}`).exec(CSS)?.[1] ?? '';
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** WCAG 2 relative luminance. */
function luminance(colour: string): number {
  const channel = (at: number): number => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['bg0', 'bg1', 'bg2', 'bg3', 'accent-soft'];
const TEXTS = ['text1', 'text2', 'text3', 'accent', 'ok', 'warn', 'bad', 'info', 'below', 'above', 'vacancy'];
const LEVELS = ['level-1', 'level-2', 'level-3', 'level-4'];
const PAIRS = [
  ['on-accent', 'accent'],
  ['on-banner', 'banner'],
  ['on-band-badge', 'band-badge'],
];

/** What the map draws with: tiles/styles. */
function drawnWith(theme: string): Tokens {
  const path = join(import.meta.dirname, '../../../tiles/styles', `${theme}.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { tokens: Tokens }).tokens;
}

/** Words on the map and the ground they stand on. */
const MAP_TEXTS = [
  ['label.estate', 'land'],
  ['label.estate', 'estate'],
  ['label.road', 'land'],
  ['label.water', 'water'],
  ['label.green', 'park'],
  ['grid.number', 'land'],
  ['text1', 'bg1'],
];

describe.each(['dark', 'light'])('the map, %s', (theme) => {
  const of = drawnWith(theme);

  test.each(MAP_TEXTS)('%s is readable on %s', (text = '', ground = '') => {
    expect(contrast(of[text] ?? '', of[ground] ?? '')).toBeGreaterThanOrEqual(4.5);
  });

  test.each(['1', '2', '3', '4'])(
    'an event of level %s stands out from the land, its glyph from it',
    (level) => {
      const [fill = '', edge = '', glyph = ''] = ['fill', 'edge', 'glyph'].map(
        (part) => of[`event.${level}.${part}`],
      );
      const land = of.land ?? '';
      expect(Math.max(contrast(fill, land), contrast(edge, land))).toBeGreaterThanOrEqual(3);
      expect(contrast(glyph, fill)).toBeGreaterThanOrEqual(4.5);
    },
  );

  test.each(['grid.line', 'community.line', 'accent', 'below', 'above'])('%s is seen on the land', (line) => {
    expect(contrast(of[line] ?? '', of.land ?? '')).toBeGreaterThanOrEqual(3);
  });

  test('page and map mean the same by the same name', () => {
    const page = tokens(theme);
    const shared = Object.keys(page).filter((name) => of[name] !== undefined);
    expect(shared.length).toBeGreaterThan(15);
    for (const name of shared) expect([name, of[name]?.toLowerCase()]).toEqual([name, page[name]]);
  });
});

describe.each(['dark', 'light'])('%s', (theme) => {
  const of = tokens(theme);
  const pairs = [
    ...TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground])),
    ...LEVELS.flatMap((text) => ['bg1', 'bg3'].map((ground) => [text, ground])),
    ...PAIRS,
  ];

  test.each(pairs)('%s is readable on %s', (text = '', ground = '') => {
    expect(contrast(of[text] ?? '', of[ground] ?? '')).toBeGreaterThanOrEqual(4.5);
  });

  test.each([
    ['line-strong', 'bg1'],
    ['line-strong', 'bg2'],
    ['focus', 'bg0'],
    ['focus', 'bg1'],
  ])('%s can be seen on %s', (line, ground) => {
    expect(contrast(of[line] ?? '', of[ground] ?? '')).toBeGreaterThanOrEqual(3);
  });
});
