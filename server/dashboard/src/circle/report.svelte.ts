import { tick } from 'svelte';
import { api } from '../api/client.ts';
import type { Overlay } from '../map/overlays.ts';
import { scaleBar } from '../map/scale.ts';
import { valueIn } from '../state/loadable.ts';
import type { Circle } from './circle.svelte.ts';
import { bridgeOverlay, cellOverlay, type Inks, marksOverlay, shedOverlay, veilOverlay } from './drawn.ts';
import { circleStyle, classesAsExpression } from './dress.ts';
import { standsAt } from './hands.ts';
import { classOf } from './minutes.ts';
import { classesOf } from './scene.ts';
import { shedOf } from './sheds.svelte.ts';

/** The map on paper, CSS px at 96 to the inch: 172 x 128 mm. */
export const PAPER = [650, 484] as const;
/** Pixels to the CSS pixel: about 240 to the inch. */
const FINENESS = 2.5;

/** The light theme's inks (tokens.css): paper is always light. */
const INKS: Inks = { accent: '#08716a', halo: '#ffffff', veil: 'rgba(230,234,236,.58)' };

/** The A4 report: a light map of the area, drawn anew for paper, and the numbers as they are on screen. */
export class Report {
  picture = $state<string | null>(null);
  scale = $state.raw<{ readonly text: string; readonly width: number } | null>(null);
  at = $state(0);
  drawing = $state(false);
  readonly #circle: Circle;

  constructor(circle: Circle) {
    this.#circle = circle;
  }

  get possible(): boolean {
    return this.#circle.cover !== null;
  }

  async print(): Promise<void> {
    if (this.drawing || !this.possible) return;
    this.drawing = true;
    try {
      await this.#draw();
      this.at = Date.now();
      await tick();
      await picturesAreHere();
      window.print();
    } catch (error) {
      console.info('The report was not drawn.', error);
      this.#circle.toasts.show({ text: this.#circle.t('circle.report.failed'), tone: 'bad' });
    } finally {
      this.drawing = false;
    }
  }

  async #draw(): Promise<void> {
    const circle = this.#circle;
    const [{ Still }, style] = await Promise.all([
      import('../map/still.ts'),
      api.style('light', circle.language),
    ]);
    const still = new Still(circleStyle(style, 'light', this.#classes()), ...PAPER);
    try {
      still.show(this.#overlays());
      await still.draw(PAPER, { kind: 'bounds', bounds: circle.bounds }, FINENESS);
      this.picture = still.canvas.toDataURL('image/jpeg', 0.9);
      this.scale = scaleBar(still.view.zoom, still.view.lat, 110);
    } finally {
      still.destroy();
    }
  }

  /** Colours of buildings and grids, in the style itself: a picture has no feature states. */
  #classes(): Parameters<typeof circleStyle>[2] {
    const circle = this.#circle;
    const buildings = valueIn(circle.buildings);
    const rows = circle.rows ? (valueIn(circle.rows)?.rows ?? []) : [];
    const limit = circle.cover?.limit_s ?? 900;
    return {
      buildings:
        buildings && circle.by === 'building'
          ? classesAsExpression(
              buildings.fid,
              classesOf(buildings, circle.after, circle.edges, limit, circle.display),
            )
          : null,
      grids:
        circle.by === 'grid'
          ? classesAsExpression(
              rows.map((row) => row.fid ?? 0),
              rows.map((row) => classOf(row.mean_s, circle.edges)),
            )
          : null,
    };
  }

  #overlays(): ReadonlyMap<string, Overlay> {
    const circle = this.#circle;
    const found = new Map<string, Overlay>();
    const cells = circle.by === 'h3' && circle.rows ? valueIn(circle.rows) : null;
    if (cells) found.set('cells', cellOverlay(cells, circle.edges, 'light', INKS));
    const shed = shedOf(circle);
    if (shed) found.set('shed', shedOverlay(shed, (circle.cover?.limit_s ?? 600) / 60, INKS));
    if (circle.outline) found.set('veil', veilOverlay(circle.outline, INKS));
    found.set('bridges', bridgeOverlay(circle.trial.changes, null, INKS));
    const closed = new Set(circle.trial.changes.flatMap((one) => (one.op === 'close' ? [one.fid] : [])));
    const standing = circle.facilities.filter((one) => !closed.has(one.fid));
    found.set(
      'marks',
      marksOverlay(
        [
          ...standing.map((one) => ({ at: standsAt(circle, one), label: '' })),
          ...circle.trial.changes.flatMap((one) =>
            one.op === 'add'
              ? [{ at: one.point, label: circle.t('circle.proposed', { label: one.label }) }]
              : [],
          ),
        ],
        `facility-${circle.category ?? 'other'}`,
        INKS,
      ),
    );
    return found;
  }
}

/** A picture that is not decoded yet prints as nothing. */
async function picturesAreHere(): Promise<void> {
  const pictures = [...document.querySelectorAll<HTMLImageElement>('.report img')];
  await Promise.all(pictures.map((picture) => picture.decode()));
}
