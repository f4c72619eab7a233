/** Sheets that can be printed, landscape; mm. */
export const PAPERS = {
  A4: { width: 297, height: 210, dpi: 240, unit: 1 },
  A3: { width: 420, height: 297, dpi: 204, unit: 1.2 },
} as const;

export type PaperName = keyof typeof PAPERS;

/** A part of the sheet, mm from its upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything stands; text grows with `unit`, so that a larger sheet reads from farther off. */
export interface SheetPlan {
  readonly width: number;
  readonly height: number;
  readonly unit: number;
  readonly head: Box;
  readonly figures: Box;
  readonly map: Box;
  readonly legend: Box;
  readonly foot: Box;
}

const MARGIN = 10;

/** The parts of a sheet: head, a row of indicators, map with the legend beside it, foot. They never overlap. */
export function planOf(name: PaperName): SheetPlan {
  const { width, height, unit } = PAPERS[name];
  const inner = width - 2 * MARGIN;
  const gap = 3 * unit;
  const head = { x: MARGIN, y: MARGIN, width: inner, height: 12 * unit };
  const figures = { x: MARGIN, y: head.y + head.height + gap, width: inner, height: 15 * unit };
  const foot = { x: MARGIN, y: height - MARGIN - 9 * unit, width: inner, height: 9 * unit };
  const side = 50 * unit;
  const top = figures.y + figures.height + gap;
  const body = foot.y - gap - top;
  const map = { x: MARGIN, y: top, width: inner - side - gap, height: body };
  const legend = { x: map.x + map.width + gap, y: top, width: side, height: body };
  return { width, height, unit, head, figures, map, legend, foot };
}

/** CSS pixels (96 to the inch) of a length on paper: the map is drawn in these, and finer by the pixel ratio. */
export function cssPixels(mm: number): number {
  return (mm / 25.4) * 96;
}

/** How much finer than the screen a sheet is drawn. */
export function pixelRatio(name: PaperName): number {
  return PAPERS[name].dpi / 96;
}

/** `1:5,200`: the scale of a map of CSS pixels on paper, two digits of it. */
export function scaleRatio(metresPerPixel: number): string {
  const ratio = metresPerPixel / (0.0254 / 96);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(ratio)) - 1);
  return `1:${(Math.round(ratio / step) * step).toLocaleString('en-US')}`;
}
