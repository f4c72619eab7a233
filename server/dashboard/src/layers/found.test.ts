import { expect, test } from 'vitest';
import type { SearchHit } from '../api/reading.ts';
import { hitsOf, isQuestion, piecesOf, readRecent, stepped, withRecent } from './found.ts';

const hit = (fid: number, layer = 'buildings'): SearchHit => ({
  layer,
  fid,
  title: `桂花坞 ${fid} 栋`,
  sub: '晴川社区 > 网格 17',
  match: [[0, 2]],
  point: [117.3, 31.7],
  bounds: [117.3, 31.7, 117.3, 31.7],
});

test('a question has two characters, whatever they weigh', () => {
  expect(['', ' a ', '桂', '𠮷'].map(isQuestion)).toEqual([false, false, false, false]);
  expect(['gh', '桂花', '𠮷祥'].map(isQuestion)).toEqual([true, true, true]);
});

test('a title is cut where it matched, by characters', () => {
  expect(piecesOf('𠮷祥苑 8 栋', [[1, 3]])).toEqual([
    { text: '𠮷', hit: false },
    { text: '祥苑', hit: true },
    { text: ' 8 栋', hit: false },
  ]);
  expect(
    piecesOf('桂花坞', [
      [0, 2],
      [1, 9],
    ]),
  ).toEqual([{ text: '桂花坞', hit: true }]);
  expect(piecesOf('桂花坞', [])).toEqual([{ text: '桂花坞', hit: false }]);
});

test('the pieces of a title are the title', () => {
  const title = '晴川社区 > 网格 17';
  for (let from = 0; from < title.length; from += 1) {
    const pieces = piecesOf(title, [[from, from + 3]]);
    expect(pieces.map((piece) => piece.text).join('')).toBe(title);
  }
});

test('arrows go round, and start at either end', () => {
  expect([
    stepped(-1, 1, 3),
    stepped(-1, -1, 3),
    stepped(2, 1, 3),
    stepped(0, -1, 3),
    stepped(-1, 1, 0),
  ]).toEqual([0, 2, 0, 2, -1]);
});

test('the newest five are kept, each once', () => {
  const recent = [1, 2, 3, 4, 5, 6, 2].reduce<readonly SearchHit[]>((all, n) => withRecent(all, hit(n)), []);
  expect(recent.map((h) => h.fid)).toEqual([2, 6, 5, 4, 3]);
  expect(recent.every((h) => h.match.length === 0)).toBe(true);
  expect(withRecent(recent, hit(2, 'estates'))).toHaveLength(5);
});

test('what the browser kept is believed only where it is ours', () => {
  expect(readRecent(JSON.stringify([hit(1), { layer: 'x' }, null, 7]))).toEqual([hit(1)]);
  expect(['{', 'null', '"x"', null].map(readRecent)).toEqual([[], [], [], []]);
});

test('hits stand in the order of their groups', () => {
  const title = { zh: '建筑', en: 'Buildings' };
  const answer = {
    q: 'gh',
    groups: [
      { kind: 'grids', title, hits: [hit(9, 'grids')] },
      { kind: 'buildings', title, hits: [hit(1), hit(2)] },
    ],
  };
  expect(hitsOf(answer).map((h) => h.fid)).toEqual([9, 1, 2]);
});
