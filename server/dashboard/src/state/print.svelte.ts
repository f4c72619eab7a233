import { api, get } from '../api/client.ts';
import { reading } from '../api/reading.ts';
import { EVENTS } from '../layers/events.ts';
import { instant } from '../layers/format.ts';
import { HEAT, heatClasses } from '../layers/heat.ts';
import { chosenKpis, kpiText } from '../layers/kpi.ts';
import { sourceFor, symbolUrl } from '../layers/legend.ts';
import { crumbsOf, gridTitle } from '../layers/places.ts';
import { loadFonts } from '../map/fonts.ts';
import { metresPerPixel, scaleBar } from '../map/scale.ts';
import { selectionLayers } from '../map/selection.ts';
import { type Frame, Still } from '../map/still.ts';
import { repainted, tokensOf } from '../print/light.ts';
import { cssPixels, PAPERS, type PaperName, pixelRatio, planOf, scaleRatio } from '../print/paper.ts';
import { pdfOf, type SheetText } from '../print/pdf.ts';
import { charactersIn, drawSheet, type LegendLine, type SheetWords } from '../print/sheet.ts';
import type { App } from './app.svelte.ts';
import { failed, valueIn } from './loadable.ts';
import type { Selected } from './select.svelte.ts';

export type Extent = 'view' | 'area' | 'selected';

const GRIDS = 'grids';

/** Pixels to the millimetre of the preview. */
const PREVIEW = 4;

/** Room of the scale bar on paper, CSS px. */
const BAR_PX = 110;

/** A sheet in the making: what the reader chose, the light map behind it, and the files it becomes. */
export class Print {
  paper = $state<PaperName>('A4');
  title = $state('');
  extent = $state<Extent>('view');
  work = $state<'drawing' | 'ready' | 'failed'>('drawing');

  readonly #app: App;
  #still: Still | null = null;
  #map: HTMLCanvasElement | null = null;
  /** The document of the rule that the grids here are measured by. */
  #document: string | null = null;
  #legend: readonly LegendLine[] = [];
  #symbols = new Map<string, HTMLImageElement>();
  #asked = 0;

  constructor(app: App) {
    this.#app = app;
    this.title = app.t('print.mapOf', { area: this.#area().at(-1) ?? app.t('app.title') });
    if (app.selection && valueIn(app.card)?.bounds) this.extent = 'selected';
    else if (app.place.area || app.place.grid) this.extent = 'area';
  }

  /** The extents there are to choose from. */
  get extents(): readonly Extent[] {
    const { selection, card } = this.#app;
    return [
      'view' as const,
      ...(this.#areaBounds() ? (['area'] as const) : []),
      ...(selection && valueIn(card)?.bounds ? (['selected'] as const) : []),
    ];
  }

  /** Draws the map anew, coarsely, and the sheet with it. */
  async preview(canvas: HTMLCanvasElement): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    this.work = 'drawing';
    try {
      await this.#drawMap(1, () => asked !== this.#asked);
      if (asked !== this.#asked) return;
      await this.sketch(canvas);
      this.work = 'ready';
    } catch (error) {
      if (asked !== this.#asked) return;
      console.info('The sheet was not drawn.', error);
      this.work = 'failed';
    }
  }

  /** Draws the words anew around the map that is there. */
  async sketch(canvas: HTMLCanvasElement): Promise<void> {
    await this.#drawSheet(canvas, PREVIEW);
  }

  async pdf(): Promise<Blob> {
    const { canvas, texts } = await this.#fine();
    const jpeg = await blobOf(canvas, 'image/jpeg', 0.93);
    const { width, height } = PAPERS[this.paper];
    return pdfOf({
      width,
      height,
      title: this.title,
      made: new Date(),
      jpeg: new Uint8Array(await jpeg.arrayBuffer()),
      pixels: [canvas.width, canvas.height],
      texts,
    });
  }

  async png(): Promise<Blob> {
    return blobOf((await this.#fine()).canvas, 'image/png');
  }

  get fileName(): string {
    const stamp = instant(new Date(this.#app.now).toISOString()).replace(/[-: ]/g, '');
    return `${this.title.replace(/[\\/:*?"<>|\s]+/g, '-')}-${this.paper}-${stamp}`;
  }

  /** The whole sheet as fine as paper asks for. */
  async #fine(): Promise<{ canvas: HTMLCanvasElement; texts: readonly SheetText[] }> {
    await this.#drawMap(pixelRatio(this.paper), () => false);
    const canvas = document.createElement('canvas');
    const texts = await this.#drawSheet(canvas, PAPERS[this.paper].dpi / 25.4);
    return { canvas, texts };
  }

  async #drawMap(ratio: number, stale: () => boolean): Promise<void> {
    const app = this.#app;
    const plan = planOf(this.paper);
    const size = [Math.round(cssPixels(plan.map.width)), Math.round(cssPixels(plan.map.height))] as const;
    const [light] = await Promise.all([api.style('light', app.language), this.#askDocument()]);
    const style = app.dressOf(light);
    if (stale() || !style) return;
    if (this.#still) this.#still.dress(style);
    else this.#still = new Still(style, ...size);
    const still = this.#still;
    await still.loaded();
    if (stale()) return;
    this.#lay(still);
    await still.draw(size, this.#frame(), ratio);
    if (stale()) return;
    this.#map = still.canvas;
    this.#legend = this.#legendOf(still);
    await this.#loadSymbols();
  }

  /** Any grid here names the document; without one the foot says the formula alone. */
  async #askDocument(): Promise<void> {
    if (this.#document !== null || !this.#app.layerOf(GRIDS)?.allowed) return;
    const { area } = this.#app.place;
    const [west, south, east, north] = this.#areaBounds() ?? this.#app.home;
    const asked = new AbortController().signal;
    try {
      const query = `bbox=${west},${south},${east},${north}&limit=1${area ? `&area=${area}` : ''}`;
      const { features } = await get<Selected>(`/api/select/${GRIDS}?${query}`);
      const more = features[0] ? (await reading.card(GRIDS, features[0].fid, asked)).more : null;
      this.#document = more?.kind === 'grid' ? (more.rule?.document ?? '') : '';
    } catch (error) {
      failed(error);
    }
  }

  /** What lies over the style on the page: heat, routes, the veil, the selection; in the colours of paper. */
  #lay(still: Still): void {
    const app = this.#app;
    const [worn, light] = [tokensOf(app.theme), tokensOf('light')];
    const overlays = [...(app.map?.overlays.shown ?? [])];
    still.show(new Map(overlays.map(([name, overlay]) => [name, repainted(overlay, worn, light)])));
    const layer = app.selection ? app.layerOf(app.selection.layer) : null;
    const source = layer ? sourceFor(valueIn(app.style)?.layers ?? [], layer.name) : null;
    const colour = (name: string): string => light.get(name) ?? '#000000';
    const colours = { accent: colour('--accent'), text: colour('--text1'), halo: colour('--halo') };
    still.mark(
      app.selection && layer && source !== null && app.look?.on.has(layer.name)
        ? selectionLayers(layer, app.selection, colours, source, layer.name !== EVENTS)
        : [],
    );
  }

  #frame(): Frame {
    const [app, extent] = [this.#app, this.extent];
    const bounds =
      extent === 'selected' ? valueIn(app.card)?.bounds : extent === 'area' ? this.#areaBounds() : null;
    if (bounds) return { kind: 'bounds', bounds };
    const seen = app.map?.uncovered;
    if (!seen || !app.view) return { kind: 'bounds', bounds: app.home };
    return { kind: 'view', ...seen, zoom: app.view.zoom, bearing: app.view.bearing };
  }

  #areaBounds(): readonly [number, number, number, number] | null {
    const { place, grids, areas } = this.#app;
    const grid = grids.find((g) => g.grid_code === place.grid);
    return grid?.bounds ?? crumbsOf(areas, place.area).at(-1)?.bounds ?? null;
  }

  /** The layers that the print's map really shows, each with the classes found on it. */
  #legendOf(still: Still): readonly LegendLine[] {
    const app = this.#app;
    const fields = new Map([...app.legends].map(([name, legend]) => [name, legend.field]));
    const drawn = still.drawn(fields);
    // What happens comes first, the ground last.
    const lines = [...app.tree].reverse().flatMap((group) =>
      group.rows.flatMap((row): LegendLine[] => {
        const values = drawn.get(row.layer.name);
        if (!row.on || !values) return [];
        const classes = row.classes.filter((item) =>
          item.value === null ? true : item.on && values.has(item.value),
        );
        const head: LegendLine = { symbol: row.symbol, title: app.title(row.layer.title), depth: 0 };
        if (classes.length === 0) return [head];
        const lines = classes.map((item): LegendLine => {
          return { symbol: item.symbol, title: app.title(item.title), depth: 1 };
        });
        return [row.layer.geometry === 'Point' ? { ...head, symbol: null } : head, ...lines];
      }),
    );
    return [...this.#heatLegend(), ...lines];
  }

  #heatLegend(): readonly LegendLine[] {
    const app = this.#app;
    const heat = app.look?.on.has(HEAT) && app.heat.cells ? valueIn(app.heat.cells) : null;
    if (!heat) return [];
    const light = tokensOf('light');
    return [
      { symbol: null, title: app.t('heat.title'), depth: 0 },
      ...heatClasses(heat).map(
        ({ text, colour }): LegendLine => ({
          symbol: null,
          colour: light.get(`--heat-${colour}`) ?? '#ffffff',
          title: text,
          depth: 1,
        }),
      ),
    ];
  }

  async #loadSymbols(): Promise<void> {
    const wanted = this.#legend.flatMap((line) => line.symbol ?? []);
    await Promise.all(
      wanted.map(async (symbol) => {
        if (this.#symbols.has(symbol)) return;
        const image = new Image();
        image.src = symbolUrl('light', symbol);
        await image.decode();
        this.#symbols.set(symbol, image);
      }),
    );
  }

  async #drawSheet(canvas: HTMLCanvasElement, scale: number): Promise<readonly SheetText[]> {
    const plan = planOf(this.paper);
    const words = this.#words();
    await loadFonts(charactersIn(words));
    canvas.width = Math.round(plan.width * scale);
    canvas.height = Math.round(plan.height * scale);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('This browser draws no pictures.');
    return drawSheet(context, plan, words, this.#map, this.#symbols, scale);
  }

  #words(): SheetWords {
    const app = this.#app;
    const { t, language } = app;
    const view = this.#still?.view;
    const bar = view ? scaleBar(view.zoom, view.lat, BAR_PX) : null;
    const kpis = valueIn(app.kpis);
    const at = valueIn(app.events.listing)?.at ?? (kpis ? Date.parse(kpis.calculated_at) : app.now);
    const band = kpis?.kpis.find((kpi) => kpi.name === 'grids_in_band');
    const colon = language === 'zh' ? '：' : ': ';
    const rule = band ? [app.title(band.title), app.title(band.formula)].join(colon) : '';
    const document = this.#document ? t('print.document', { document: this.#document }) : '';
    return {
      title: this.title,
      area: this.#area().join(' › '),
      time: t('print.time', { time: instant(new Date(at).toISOString()) }),
      figures: chosenKpis(kpis?.kpis ?? [], app.kpiChoice.names).map((kpi) => ({
        title: app.title(kpi.title),
        ...kpiText(kpi, language),
      })),
      legendTitle: t('print.legend'),
      legend: this.#legend,
      legendMore: (n) => t('print.legendMore', { n }),
      scale:
        bar && view
          ? {
              text: bar.text,
              width: (bar.width / 96) * 25.4,
              ratio: t('print.scale', { ratio: scaleRatio(metresPerPixel(view.zoom, view.lat)) }),
            }
          : null,
      bearing: view?.bearing ?? 0,
      north: t('print.north'),
      foot: [
        [app.t('map.datum'), rule, document].filter(Boolean).join(language === 'zh' ? '；' : '; '),
        t('print.made', { time: instant(new Date(app.now).toISOString()) }),
      ],
      mark: t('print.mark'),
      demo: valueIn(app.catalog)?.demo ? t('app.demo') : null,
    };
  }

  /** The names from the city down to where one is. */
  #area(): readonly string[] {
    const { areas, place, grids, t } = this.#app;
    const grid = grids.find((g) => g.grid_code === place.grid);
    return [
      ...crumbsOf(areas, place.area).map((area) => area.name),
      ...(grid ? [t('place.grid', { n: gridTitle(grid) })] : []),
    ];
  }

  destroy(): void {
    this.#asked += 1;
    this.#still?.destroy();
    this.#still = null;
    this.#map = null;
  }
}

function blobOf(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('No picture came.'))), type, quality);
  });
}
