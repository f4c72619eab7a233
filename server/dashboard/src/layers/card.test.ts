import { expect, test } from 'vitest';
import { layer, level, text } from '../../test/city.ts';
import type { Feature, Field } from '../api/types.ts';
import { cardOf } from './card.ts';

const built: Field = {
  name: 'built_year',
  type: 'integer',
  title: { zh: '建成年份', en: 'Built' },
  unit: 'year',
  codes: null,
};
const households: Field = {
  ...built,
  name: 'households',
  title: { zh: '户数', en: 'Households' },
  unit: 'households',
};
const use: Field = {
  name: 'use',
  type: 'code',
  title: { zh: '用途', en: 'Use' },
  unit: null,
  codes: [{ value: 'residential', title: { zh: '住宅', en: 'Residential' } }],
};
const buildings = layer('buildings', 'base', 'MultiPolygon', [text('name'), use, built, households], 12);

function feature(properties: Feature['properties']): Feature {
  return { layer: 'buildings', fid: 1, title: '桂花坞 8 栋', properties, bounds: null, point: null };
}

test('a card speaks the reader’s language: titles, codes and units', () => {
  const value = feature({
    id: 'B8',
    name: '桂花坞 8 栋',
    use: 'residential',
    built_year: 1998,
    households: 1314,
  });
  const [zh, en] = [cardOf(value, buildings, 'zh'), cardOf(value, buildings, 'en')];
  expect(zh.rows.map((r) => [r.label, r.text, r.unit])).toEqual([
    ['用途', '住宅', ''],
    ['建成年份', '1998', '年'],
  ]);
  expect(en.rows.map((r) => [r.label, r.text, r.unit])).toEqual([
    ['Use', 'Residential', ''],
    ['Built', '1998', ''],
  ]);
  expect(zh.figures.map((r) => [r.text, r.unit])).toEqual([['1,314', '户']]);
  expect([zh.title, zh.code]).toEqual(['桂花坞 8 栋', 'B8']);
});

test('what is not known takes no row, and zero is known', () => {
  const card = cardOf(
    feature({ id: 'B8', use: null, built_year: undefined as never, households: 0 }),
    buildings,
    'zh',
  );
  expect(card.rows).toEqual([]);
  expect(card.figures.map((r) => r.text)).toEqual(['0']);
});

test('an event says its level in its colour and that it is late', () => {
  const events = layer('events', 'events', 'Point', [text('title'), level()], 8);
  const late: Feature = {
    layer: 'events',
    fid: 7,
    title: '燃气异味',
    properties: { level: 4, overdue: true },
    bounds: null,
    point: null,
  };
  expect(cardOf(late, events, 'zh').badges).toEqual([
    { text: '特别重大', tone: 'level-4' },
    { text: '超期', tone: 'bad' },
  ]);
});
