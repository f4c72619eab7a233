import { expect, test } from 'vitest';
import type { Bar, ChartOf } from '../layers/charts.ts';
import { barAt, type ChartDress, init, optionOf } from './chartOption.ts';

const DRESS: ChartDress = {
  text: '#46535f',
  faint: '#5f6c78',
  line: '#dde3e7',
  ground: '#f5f7f8',
  closed: '#76848f',
  open: '#08716a',
  levels: ['#246cdd', '#f2b705', '#e2640a', '#d3262e'],
  font: 'sans-serif',
  openWord: '未结',
  closedWord: '已办结',
  still: true,
};

const BARS: readonly Bar[] = ['燃气异味', '噪声扰民', '路灯不亮'].map((title, i) => ({
  key: String(i + 1),
  title,
  open: i + 1,
  closed: 9 - i,
  choice: null,
}));

function drawn(of: ChartOf): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 400, height: 208 });
  chart.setOption(optionOf(of, BARS, DRESS));
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

test.each(['day', 'kind', 'area', 'hour', 'state'] as const)(
  '%s: open and closed in their own colour',
  (of) => {
    const svg = drawn(of);
    for (const { title } of BARS) expect(svg).toContain(title);
    expect(svg.match(/fill="#08716a"/g)).toHaveLength(BARS.length);
    expect(svg.match(/fill="#76848f"/g)).toHaveLength(BARS.length);
  },
);

test('levels keep the colours of the map', () => {
  const svg = drawn('level');
  for (const colour of DRESS.levels.slice(0, 3)) expect(svg).toContain(colour);
});

test('a click on a lying bar means the bar that is read there', () => {
  expect(barAt('kind', BARS, 0)?.title).toBe('路灯不亮');
  expect(barAt('day', BARS, 0)?.title).toBe('燃气异味');
  expect(barAt('day', BARS, 7)).toBeNull();
});
