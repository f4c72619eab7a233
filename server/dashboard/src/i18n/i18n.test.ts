import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en } from './en.ts';
import { translate } from './index.ts';
import { zh } from './zh.ts';

const SOURCES = join(import.meta.dirname, '..');

/** The text of every source file but the word lists and the tests. */
function sources(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sources(path);
      return /(zh|en|\.test)\.ts$/.test(entry.name) || !/\.(ts|svelte)$/.test(entry.name)
        ? ''
        : readFileSync(path, 'utf8');
    })
    .join('\n');
}

const text = sources(SOURCES);

test('both languages hold the same keys', () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
});

test.each(Object.keys(zh))('%s is used', (key) => {
  expect(text).toContain(`'${key}'`);
});

test('the same holes are in both languages', () => {
  const holes = (words: string): string[] => (words.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(zh) as (keyof typeof zh)[])
    expect([key, holes(en[key])]).toEqual([key, holes(zh[key])]);
});

test('no language is mixed into the other', () => {
  for (const [key, words] of Object.entries(en))
    expect([key, /[\u3400-\u9fff]/.test(words)]).toEqual([key, false]);
  // Names of units, standards and keys are the same everywhere.
  const foreign = /(A4|CGCS2000|H3|PDF|PNG|WebGL|m²|km\/h|m\/s|\{\w+\}|\bm\b)/g;
  for (const [key, words] of Object.entries(zh)) {
    expect([key, /[A-Za-z]/.test(words.replace(foreign, ''))]).toEqual([key, false]);
  }
});

test('no panel holds words of its own', () => {
  const markup = text.replace(/\/\/.*|\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->/g, '');
  expect(markup.match(/.*[\u4e00-\u9fff].*/g) ?? []).toEqual(UNITS);
});

/** Units that belong to the number they follow (layers/format.ts). */
const UNITS = (text.match(/.*(万|公顷).*/g) ?? []).filter(
  (line) => !line.includes('/**') && !line.includes('//'),
);

test('holes are filled', () => {
  expect(translate('zh', 'chooser.title', { n: 3 })).toBe('此处有 3 个对象');
});
