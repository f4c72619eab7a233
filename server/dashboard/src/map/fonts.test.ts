import { expect, test } from 'vitest';
import { charactersOf } from './fonts.ts';

test('every character asked for is loaded once, whatever its stack', () => {
  expect(
    charactersOf({ a: { default: ['晴', '川'] }, b: { default: new Set(['川', '1']), vertical: ['河'] } }),
  ).toBe('晴川1河');
});
