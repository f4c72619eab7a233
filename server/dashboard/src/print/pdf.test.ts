import { expect, test } from 'vitest';
import { pdfOf } from './pdf.ts';

const PAGE = {
  width: 297,
  height: 210,
  title: '晴川社区',
  made: new Date('2026-09-18T11:42:08Z'),
  jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9),
  pixels: [2806, 1984] as const,
  texts: [{ text: '内部资料', x: 10, y: 20, size: 4 }],
};

async function written(): Promise<string> {
  const bytes = new Uint8Array(await pdfOf(PAGE).arrayBuffer());
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

test('the page has the size of the sheet in points', async () => {
  expect(await written()).toContain('/MediaBox[0 0 841.89 595.276]');
});

test('every object stands where the table says', async () => {
  const text = await written();
  const table = Number(/startxref\n(\d+)/.exec(text)?.[1]);
  expect(text.slice(table, table + 4)).toBe('xref');
  const places = [...text.slice(table).matchAll(/^(\d{10}) 00000 n $/gm)].map((row) => Number(row[1]));
  expect(places).toHaveLength(9);
  for (const [i, place] of places.entries())
    expect(text.slice(place).startsWith(`${i + 1} 0 obj`)).toBe(true);
});

test('streams are as long as they say', async () => {
  const text = await written();
  const streams = [...text.matchAll(/\/Length (\d+)>>\nstream\n([\s\S]*?)\nendstream/g)];
  expect(streams).toHaveLength(2);
  for (const [, length, body = ''] of streams) expect(body).toHaveLength(Number(length));
});

test('words are kept as UTF-16 where a search finds them', async () => {
  const text = await written();
  expect(text).toContain('<518590e88d446599>');
  expect(text).toContain('/Title<FEFF66745ddd793e533a>');
  expect(text).toContain('/CreationDate(D:20260918114208Z)');
});
