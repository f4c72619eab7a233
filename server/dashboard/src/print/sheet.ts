import type { Box, SheetPlan } from './paper.ts';
import type { SheetText } from './pdf.ts';

/** A line of the legend: the map's own symbol and what it stands for. */
export interface LegendLine {
  readonly symbol: string | null;
  /** A plain colour where there is no symbol: a class of a ramp. */
  readonly colour?: string;
  readonly title: string;
  /** A layer's line, or one of its classes. */
  readonly depth: 0 | 1;
}

export interface Figure {
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  readonly sub: string;
}

/** All that is written on a sheet. */
export interface SheetWords {
  readonly title: string;
  readonly area: string;
  readonly time: string;
  readonly figures: readonly Figure[];
  readonly legendTitle: string;
  readonly legend: readonly LegendLine[];
  /** What the legend says where it does not fit. */
  readonly legendMore: (left: number) => string;
  readonly scale: { readonly text: string; readonly width: number; readonly ratio: string } | null;
  /** Degrees clockwise that the map is turned. */
  readonly bearing: number;
  readonly north: string;
  readonly foot: readonly [left: string, right: string];
  readonly mark: string;
  readonly demo: string | null;
}

/** Light whatever the page's theme: paper is white. As tokens.css. */
const INK = {
  paper: '#ffffff',
  text1: '#15202a',
  text2: '#46535f',
  text3: '#5f6c78',
  line: '#bcc5cb',
  land: '#f5f5f1',
  mark: 'rgba(21, 32, 42, 0.11)',
  secret: '#c5282f',
} as const;

const FAMILY = '"Noto Sans SC Variable", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif';

/** Every character that a sheet holds: their fonts are loaded before it is drawn. */
export function charactersIn(words: SheetWords): string {
  const lines = [
    ...[words.title, words.area, words.time, words.legendTitle, words.legendMore(0), words.north],
    ...[words.foot.join(''), words.mark, words.demo ?? '', words.scale?.text ?? '', words.scale?.ratio ?? ''],
    ...words.figures.flatMap((figure) => Object.values(figure)),
    ...words.legend.map((line) => line.title),
    '0123456789…',
  ];
  return [...new Set(lines.join(''))].join('');
}

/**
 * Draws a sheet, `scale` pixels to the millimetre; the map is null while it is on its way.
 * Gives back the words with their places, for the PDF's text.
 */
export function drawSheet(
  context: CanvasRenderingContext2D,
  plan: SheetPlan,
  words: SheetWords,
  map: CanvasImageSource | null,
  symbols: ReadonlyMap<string, HTMLImageElement>,
  scale: number,
): readonly SheetText[] {
  const pen = new Pen(context, plan.unit);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = INK.paper;
  context.fillRect(0, 0, plan.width, plan.height);
  drawMap(pen, plan.map, words, map);
  drawHead(pen, plan.head, words);
  drawFigures(pen, plan.figures, words.figures);
  drawLegend(pen, plan.legend, words, symbols);
  drawFoot(pen, plan.foot, words);
  return pen.written;
}

/** Writes and rules in millimetres, and remembers what it wrote. */
class Pen {
  readonly written: SheetText[] = [];

  constructor(
    readonly context: CanvasRenderingContext2D,
    readonly unit: number,
  ) {}

  /** Writes a line, cut with an ellipsis where it is wider than the room; gives back its width. */
  write(
    text: string,
    x: number,
    y: number,
    how: { size: number; weight?: number; colour?: string; align?: CanvasTextAlign; room?: number },
  ): number {
    const { context, unit } = this;
    const size = how.size * unit;
    context.font = `${how.weight ?? 400} ${size}px ${FAMILY}`;
    context.fillStyle = how.colour ?? INK.text1;
    context.textAlign = how.align ?? 'left';
    context.textBaseline = 'alphabetic';
    const shown = how.room === undefined ? text : this.#cut(text, how.room);
    context.fillText(shown, x, y);
    const width = context.measureText(shown).width;
    const left = how.align === 'right' ? x - width : how.align === 'center' ? x - width / 2 : x;
    this.written.push({ text: shown, x: left, y, size });
    return width;
  }

  #cut(text: string, room: number): string {
    if (this.context.measureText(text).width <= room) return text;
    const characters = [...text];
    while (characters.length > 0 && this.context.measureText(`${characters.join('')}…`).width > room)
      characters.pop();
    return `${characters.join('')}…`;
  }

  frame(box: Box, colour: string, width: number): void {
    this.context.strokeStyle = colour;
    this.context.lineWidth = width;
    this.context.strokeRect(box.x, box.y, box.width, box.height);
  }

  rule(x1: number, y1: number, x2: number, y2: number, colour: string = INK.line, width = 0.2): void {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }
}

function drawMap(pen: Pen, box: Box, words: SheetWords, map: CanvasImageSource | null): void {
  const { context } = pen;
  context.fillStyle = INK.land;
  context.fillRect(box.x, box.y, box.width, box.height);
  if (map) context.drawImage(map, box.x, box.y, box.width, box.height);
  drawMark(pen, box, words.mark);
  pen.frame(box, INK.text1, 0.35);
}

/** The watermark: across the whole map, slanting, light enough to read the map through it. */
function drawMark(pen: Pen, box: Box, mark: string): void {
  const { context, unit } = pen;
  const size = 9 * unit;
  context.save();
  context.beginPath();
  context.rect(box.x, box.y, box.width, box.height);
  context.clip();
  context.translate(box.x + box.width / 2, box.y + box.height / 2);
  context.rotate(-Math.PI / 6);
  context.font = `600 ${size}px ${FAMILY}`;
  context.fillStyle = INK.mark;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const [dx, dy] = [context.measureText(mark).width + 5 * size, 4.5 * size];
  const reach = Math.hypot(box.width, box.height) / 2 + dx;
  for (let row = -Math.ceil(reach / dy); row * dy <= reach; row += 1) {
    const shift = row % 2 === 0 ? 0 : dx / 2;
    for (let x = -reach + shift; x <= reach; x += dx) context.fillText(mark, x, row * dy);
  }
  context.restore();
}

function drawHead(pen: Pen, box: Box, words: SheetWords): void {
  const { unit } = pen;
  const right = box.x + box.width;
  const side = 90 * unit;
  const stamp = pen.write(words.mark, right, box.y + 5 * unit, {
    size: 4.2,
    weight: 600,
    colour: INK.secret,
    align: 'right',
  });
  if (words.demo) {
    pen.write(words.demo, right - stamp - 4 * unit, box.y + 5 * unit, {
      size: 3.4,
      colour: INK.text2,
      align: 'right',
    });
  }
  pen.write(words.time, right, box.y + 11 * unit, { size: 3, colour: INK.text2, align: 'right', room: side });
  pen.write(words.title, box.x, box.y + 6.4 * unit, { size: 6.6, weight: 600, room: box.width - side });
  pen.write(words.area, box.x, box.y + 11.4 * unit, {
    size: 3.4,
    colour: INK.text2,
    room: box.width - side,
  });
}

function drawFigures(pen: Pen, box: Box, figures: readonly Figure[]): void {
  const { unit } = pen;
  pen.rule(box.x, box.y, box.x + box.width, box.y);
  pen.rule(box.x, box.y + box.height, box.x + box.width, box.y + box.height);
  const width = box.width / Math.max(1, figures.length);
  for (const [i, figure] of figures.entries()) {
    const x = box.x + i * width + (i > 0 ? 2.5 * unit : 0);
    const room = width - 4 * unit;
    if (i > 0)
      pen.rule(box.x + i * width, box.y + 2 * unit, box.x + i * width, box.y + box.height - 2 * unit);
    pen.write(figure.title, x, box.y + 4.2 * unit, { size: 2.8, colour: INK.text2, room });
    const taken = pen.write(figure.value, x, box.y + 9.8 * unit, { size: 5.4, weight: 600 });
    pen.write(figure.unit, x + taken + unit, box.y + 9.8 * unit, { size: 2.8, colour: INK.text2 });
    pen.write(figure.sub, x, box.y + 13.6 * unit, { size: 2.6, colour: INK.text3, room });
  }
}

/** A line of the legend, mm: roomy, or as tight as a long legend needs. */
const LINE_MM = [4.9, 3.7] as const;

function drawLegend(
  pen: Pen,
  box: Box,
  words: SheetWords,
  symbols: ReadonlyMap<string, HTMLImageElement>,
): void {
  const { unit } = pen;
  const bottom = box.y + box.height - 24 * unit;
  pen.write(words.legendTitle, box.x, box.y + 3.6 * unit, { size: 3.6, weight: 600 });
  const room = bottom - box.y - 6.5 * unit;
  const line = Math.max(LINE_MM[1] * unit, Math.min(LINE_MM[0] * unit, room / words.legend.length));
  const fits = Math.floor(room / line);
  const shown = words.legend.length > fits ? words.legend.slice(0, fits - 1) : words.legend;
  let y = box.y + 6.5 * unit + line / 2;
  for (const { symbol, colour, title, depth } of shown) {
    const x = box.x + depth * 4 * unit;
    if (symbol) drawSymbol(pen, symbols.get(symbol), x, y, line);
    if (colour) {
      pen.context.fillStyle = colour;
      pen.context.fillRect(x + unit, y - 1.3 * unit, 5 * unit, 2.6 * unit);
    }
    const start = symbol || colour ? x + 8 * unit : x;
    pen.write(title, start, y + 1.1 * unit, {
      size: depth === 0 ? 3 : 2.8,
      weight: depth === 0 ? 600 : 400,
      room: box.x + box.width - start,
    });
    y += line;
  }
  if (shown.length < words.legend.length) {
    const left = words.legend.length - shown.length;
    pen.write(words.legendMore(left), box.x, y + unit, { size: 2.8, colour: INK.text3 });
  }
  drawScale(pen, { x: box.x, y: bottom + 2 * unit, width: box.width, height: 22 * unit }, words);
}

/** Symbols as large as on the map (96 pixels to the inch), but never larger than the line. */
function drawSymbol(pen: Pen, image: HTMLImageElement | undefined, x: number, y: number, line: number): void {
  if (!image?.naturalWidth) return;
  const { unit } = pen;
  const fit = Math.min(
    unit * (25.4 / 96),
    (7 * unit) / image.naturalWidth,
    (line - 0.2 * unit) / image.naturalHeight,
  );
  const [w, h] = [image.naturalWidth * fit, image.naturalHeight * fit];
  pen.context.drawImage(image, x + 3.4 * unit - w / 2, y - h / 2, w, h);
}

/** North arrow, scale bar and the scale as a ratio. */
function drawScale(pen: Pen, box: Box, words: SheetWords): void {
  const { context, unit } = pen;
  pen.rule(box.x, box.y, box.x + box.width, box.y);
  const [cx, cy] = [box.x + 6 * unit, box.y + 12 * unit];
  context.save();
  context.translate(cx, cy);
  context.rotate((-words.bearing * Math.PI) / 180);
  const needle = (side: number, colour: string): void => {
    context.beginPath();
    context.moveTo(0, -5.5 * unit);
    context.lineTo(side * 3.2 * unit, 4.5 * unit);
    context.lineTo(0, 2.2 * unit);
    context.closePath();
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = INK.text1;
    context.lineWidth = 0.25;
    context.stroke();
  };
  needle(-1, INK.text1);
  needle(1, INK.paper);
  context.font = `600 ${3 * unit}px ${FAMILY}`;
  context.fillStyle = INK.text1;
  context.textAlign = 'center';
  context.fillText(words.north, 0, -6.6 * unit);
  context.restore();
  pen.written.push({ text: words.north, x: cx, y: cy - 6 * unit, size: 3 * unit });
  if (!words.scale) return;
  const x = box.x + 15 * unit;
  const { width, text, ratio } = words.scale;
  for (const part of [0, 1, 2, 3]) {
    context.fillStyle = part % 2 === 0 ? INK.text1 : INK.paper;
    context.fillRect(x + (part * width) / 4, box.y + 12 * unit, width / 4, 1.2 * unit);
  }
  pen.frame({ x, y: box.y + 12 * unit, width, height: 1.2 * unit }, INK.text1, 0.2);
  pen.write('0', x, box.y + 10.8 * unit, { size: 2.8, colour: INK.text2 });
  pen.write(text, x + width, box.y + 10.8 * unit, { size: 2.8, colour: INK.text2, align: 'center' });
  pen.write(ratio, x, box.y + 18 * unit, { size: 2.8, colour: INK.text2 });
}

function drawFoot(pen: Pen, box: Box, words: SheetWords): void {
  const { unit } = pen;
  pen.rule(box.x, box.y, box.x + box.width, box.y);
  const y = box.y + 4.6 * unit;
  const right = pen.write(words.foot[1], box.x + box.width, y, {
    size: 2.7,
    colour: INK.text3,
    align: 'right',
  });
  pen.write(words.foot[0], box.x, y, {
    size: 2.7,
    colour: INK.text3,
    room: box.width - right - 6 * unit,
  });
}
