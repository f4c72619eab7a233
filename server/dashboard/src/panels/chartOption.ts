import { BarChart } from 'echarts/charts';
import { AriaComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Bar, ChartOf } from '../layers/charts.ts';

use([BarChart, GridComponent, TooltipComponent, AriaComponent, SVGRenderer]);

/** The page's colours and words that a chart uses. */
export interface ChartDress {
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly ground: string;
  readonly closed: string;
  readonly open: string;
  readonly levels: readonly string[];
  readonly font: string;
  readonly openWord: string;
  readonly closedWord: string;
  readonly still: boolean;
}

export type { EChartsType };
export { init };

/** Lying bars for categories, whose names are long; standing ones for time. */
export function optionOf(of: ChartOf, bars: readonly Bar[], dress: ChartDress): EChartsCoreOption {
  const lying = of === 'kind' || of === 'area' || of === 'state' || of === 'level';
  const order = lying ? bars.toReversed() : bars;
  const label = { color: dress.text, fontFamily: dress.font, fontSize: 12 };
  const names = {
    type: 'category',
    data: order.map((bar) => bar.title),
    axisLabel: {
      ...label,
      ...(lying ? { interval: 0, fontSize: 11, width: 96, overflow: 'truncate' } : { hideOverlap: true }),
    },
    axisLine: { lineStyle: { color: dress.line } },
    axisTick: { show: false },
  };
  const amounts = {
    type: 'value',
    minInterval: 1,
    axisLabel: { ...label, color: dress.faint },
    splitLine: { lineStyle: { color: dress.line } },
  };
  const colourOf = (bar: Bar, open: boolean): string => {
    if (of === 'level') return dress.levels[Number(bar.key) - 1] ?? dress.closed;
    return open ? dress.open : dress.closed;
  };
  const series = (name: string, open: boolean): object => ({
    name,
    type: 'bar',
    stack: 'n',
    barMaxWidth: 18,
    cursor: 'pointer',
    itemStyle: { borderRadius: 1 },
    emphasis: { itemStyle: { opacity: 0.8 } },
    data: order.map((bar) => ({
      value: open ? bar.open : bar.closed,
      itemStyle: { color: colourOf(bar, open), opacity: of === 'level' && !open ? 0.55 : 1 },
    })),
  });
  return {
    animation: !dress.still,
    animationDuration: 320,
    textStyle: { fontFamily: dress.font },
    aria: { enabled: true },
    grid: { top: 8, right: 16, bottom: 4, left: 4, containLabel: true },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow', shadowStyle: { color: dress.line, opacity: 0.4 } },
      backgroundColor: dress.ground,
      borderColor: dress.line,
      textStyle: { ...label, color: dress.text },
    },
    xAxis: lying ? amounts : names,
    yAxis: lying ? names : amounts,
    series: [series(dress.openWord, true), series(dress.closedWord, false)],
  };
}

/** Which bar a click means: ECharts counts lying bars from below. */
export function barAt(of: ChartOf, bars: readonly Bar[], index: number): Bar | null {
  const lying = of === 'kind' || of === 'area' || of === 'state' || of === 'level';
  return bars[lying ? bars.length - 1 - index : index] ?? null;
}
