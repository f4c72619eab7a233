import { expect, test } from 'vitest';
import type { BandOf, GridRule } from '../api/reading.ts';
import { bandFor, bandsText, barOf, heightsOf, shareText, sideOf, verdictText } from './band.ts';

const HOUSEHOLDS: BandOf = { unit: 'households', min: 300, target: 400, max: 500 };
const PERSONS: BandOf = { unit: 'persons', min: 1000, target: null, max: 1500 };
const RULE: GridRule = {
  title: { zh: '示例规则', en: 'Example' },
  document: '示例发〔2026〕3 号',
  logic: 'any',
  bands: [HOUSEHOLDS, PERSONS],
  verdicts: [],
  in_band: false,
};

test('the ends of a band belong to it', () => {
  expect([299, 300, 500, 501].map((n) => sideOf(HOUSEHOLDS, n))).toEqual([
    'below',
    'inside',
    'inside',
    'above',
  ]);
});

test('a verdict says by how much', () => {
  expect(verdictText(HOUSEHOLDS, 798, 'zh')).toBe('超上限 298');
  expect(verdictText(HOUSEHOLDS, 280, 'zh')).toBe('低于下限 20');
  expect(verdictText(PERSONS, 1200, 'en')).toBe('In band');
});

test('the marker is on the bar, however far out the value is', () => {
  for (const value of [0, 300, 500, 798, 5000]) {
    const bar = barOf(HOUSEHOLDS, value);
    expect(bar.at).toBeLessThan(1);
    expect(bar.from).toBeLessThan(bar.to);
    expect(bar.at >= bar.from && bar.at <= bar.to).toBe(sideOf(HOUSEHOLDS, value) === 'inside');
  }
});

test('a rule is said with its units', () => {
  expect(bandsText(RULE, 'zh')).toBe('300–500 户或 1,000–1,500 人');
  expect(bandsText({ ...RULE, logic: 'all' }, 'en')).toBe('300–500 households and 1,000–1,500 persons');
  expect(bandFor(RULE, 'persons')).toBe(PERSONS);
  expect(bandFor(null, 'persons')).toBeNull();
});

test('bars and shares of nothing are nothing', () => {
  expect(heightsOf([0, 0])).toEqual([0, 0]);
  expect(heightsOf([1, 4])).toEqual([0.25, 1]);
  expect([shareText(131, 143), shareText(0, 0)]).toEqual(['91.6%', '—']);
});
