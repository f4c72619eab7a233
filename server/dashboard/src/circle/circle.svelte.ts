import { api } from '../api/client.ts';
import type { Area, Bounds, LngLat } from '../api/types.ts';
import { crumbsOf } from '../layers/places.ts';
import type { View } from '../state/address.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from '../state/loadable.ts';
import { type CircleAddress, kmhOf, type Pace, readCircle, writeCircle } from './address.ts';
import { circleApi, type Outline, type Subject, type Walker } from './api.ts';
import { edgesOf, spread } from './minutes.ts';
import { Report } from './report.svelte.ts';
import { placesOf, secondsAfter } from './scene.ts';
import { Sheds } from './sheds.svelte.ts';
import { Shell } from './shell.svelte.ts';
import { Sites } from './sites.svelte.ts';
import { Trial } from './trial.svelte.ts';
import type { By, ByZone, Change, Columns, Coverage, Facility, Weigh } from './types.ts';

/** Without bounds in the catalogue: where the demo city stands. */
const SOMEWHERE: Bounds = [117.27, 31.68, 117.33, 31.72];

/** What a click on the map does. */
export type Tool = 'add' | 'shed' | 'gate' | 'bridge';

/** What the page of the life circle knows, and what may be done to it. */
export class Circle extends Shell {
  areas = $state.raw<readonly Area[]>([]);
  outline = $state.raw<Outline | null>(null);

  area = $state<string | null>(null);
  category = $state<string | null>(null);
  pace = $state.raw<Pace>('adult');
  limit = $state<number | null>(null);
  openAt = $state<string | null>(null);
  weigh = $state<Weigh>('households');
  by = $state<By>('building');
  /** Minutes walked, or who gains and who loses. */
  display = $state<'minutes' | 'change'>('minutes');

  overview = $state.raw<Loadable<Coverage>>(LOADING);
  /** The chosen category by building; whom buildings are hidden from sees grids. */
  buildings = $state.raw<Loadable<Columns>>(LOADING);
  /** The same by grid or cell, where asked for. */
  rows = $state.raw<Loadable<ByZone> | null>(null);
  facilities = $state.raw<readonly Facility[]>([]);

  tool = $state<Tool>('shed');
  /** A bridge has its first end. */
  begun = $state.raw<LngLat | null>(null);
  chosen = $state<string | null>(null);
  carrying = $state(false);
  savedOpen = $state(false);

  readonly trial: Trial = new Trial(
    () => this.subject,
    () => {
      // Without a trial nobody gains or loses.
      if (!this.trial.running) this.display = 'minutes';
      this.writeAddress('push');
    },
  );
  readonly sites: Sites = new Sites(() => this.subject);
  readonly sheds: Sheds = new Sheds();
  readonly report: Report = new Report(this);

  readonly cover = $derived(
    valueIn(this.overview)?.categories.find((one) => one.category === this.category) ?? null,
  );
  readonly edges: readonly number[] = $derived(edgesOf(this.cover?.limit_s ?? 900));

  readonly #places = $derived.by(() => {
    const buildings = valueIn(this.buildings);
    return buildings ? placesOf(buildings) : new Map<number, number>();
  });
  /** Seconds of every building with the trial. */
  readonly after: readonly (number | null)[] = $derived.by(() => {
    const buildings = valueIn(this.buildings);
    return buildings
      ? secondsAfter(buildings, this.#places, this.trial.running ? this.trial.answer : null)
      : [];
  });

  /** Households or persons in each class of walking time, without and with the trial. */
  readonly spreads: { readonly before: readonly number[]; readonly now: readonly number[] } = $derived.by(
    () => {
      const columns = valueIn(this.buildings);
      const weights = columns?.[this.weigh] ?? [];
      return {
        before: spread(columns?.seconds ?? [], weights, this.edges),
        now: spread(this.after, weights, this.edges),
      };
    },
  );

  readonly #address: CircleAddress;
  #asked: AbortController | null = null;
  #askedCategory: AbortController | null = null;
  /** Trials of the categories that are not shown, to come back to. */
  readonly #kept = new Map<string, readonly Change[]>();

  constructor(search: string, width: number, height: number) {
    const address = readCircle(search);
    super(address.theme, address.language, width, height);
    this.#address = address;
    this.#take(address);
  }

  #take(address: CircleAddress): void {
    this.area = address.area;
    this.category = address.category;
    this.pace = address.pace;
    this.limit = address.limit;
    this.openAt = address.openAt;
    this.weigh = address.weigh;
    this.by = address.by;
  }

  get speed(): number {
    return kmhOf(this.pace);
  }

  #walker(area: string): Walker {
    return {
      area,
      speed_kmh: this.speed,
      ...(this.limit === null ? {} : { minutes: this.limit }),
      ...(this.openAt === null ? {} : { open_at: this.openAt }),
    };
  }

  /** What every question is about, once area and category are known. */
  get subject(): Subject | null {
    return this.area && this.category ? { ...this.#walker(this.area), category: this.category } : null;
  }

  // Loading

  async load(): Promise<void> {
    await Promise.all([this.loadCatalog(), this.loadStyle(), this.#loadAreas()]);
    await this.loadArea(this.#address.changes);
  }

  async #loadAreas(): Promise<void> {
    try {
      this.areas = await api.areas();
    } catch (error) {
      failed(error);
      this.areas = [];
    }
    const known = this.areas.some((area) => area.area_code === this.area);
    if (!known) this.area = crumbsOf(this.areas, null).at(-1)?.area_code ?? this.area;
  }

  /** Everything about the area at this walking speed; a trial of the address is taken up. */
  async loadArea(changes: readonly Change[] = this.trial.changes): Promise<void> {
    const { area } = this;
    if (!area) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    void this.#loadOutline(area);
    if (this.overview.state !== 'ready' || this.overview.value.area !== area) this.overview = LOADING;
    try {
      const overview = await circleApi.coverage(this.#walker(area), asked.signal);
      this.overview = ready(overview);
      const known = overview.categories.find((one) => one.category === this.category);
      this.category = (known ?? firstOf(overview))?.category ?? null;
    } catch (error) {
      if (!asked.signal.aborted) this.overview = failed(error);
      return;
    }
    await this.loadCategory(changes);
  }

  async #loadOutline(area: string): Promise<void> {
    try {
      const outline = await circleApi.outline(area);
      if (area === this.area) this.outline = outline;
    } catch (error) {
      // The page works without the veil.
      failed(error);
      this.outline = null;
    }
  }

  /** The chosen category by building and, where asked for, by grid or cell. */
  async loadCategory(changes: readonly Change[]): Promise<void> {
    const { subject } = this;
    if (!subject) return;
    this.#askedCategory?.abort();
    const asked = new AbortController();
    this.#askedCategory = asked;
    this.trial.start(changes);
    await Promise.all([this.#loadBuildings(subject, asked.signal), this.#loadRows(subject, asked.signal)]);
    this.writeAddress('replace');
  }

  async #loadBuildings(subject: Subject, signal: AbortSignal): Promise<void> {
    try {
      const found = await circleApi.zones(subject, 'building', signal);
      this.facilities = found.facilities;
      if (found.buildings) this.buildings = ready(found.buildings);
    } catch (error) {
      if (signal.aborted) return;
      const trouble = failed(error);
      this.buildings = trouble;
      this.facilities = [];
      if (trouble.failure.kind === 'denied' && this.by === 'building') this.setBy('grid');
    }
  }

  async #loadRows(subject: Subject, signal: AbortSignal): Promise<void> {
    const { by } = this;
    if (by === 'building') return;
    try {
      const rows = await circleApi.zones(subject, by, signal);
      if (by !== this.by || subject.category !== this.category) return;
      this.rows = ready(rows);
      if (this.buildings.state === 'failed') this.facilities = rows.facilities;
    } catch (error) {
      if (!signal.aborted) this.rows = failed(error);
    }
  }

  // The reader does

  choose(category: string): void {
    if (category === this.category) return;
    if (this.category) this.#kept.set(this.category, this.trial.changes);
    // Gates and bridges are everybody's.
    const ways = this.trial.changes.filter((one) => one.op === 'gate' || one.op === 'bridge');
    const before = (this.#kept.get(category) ?? []).filter((one) => one.op !== 'gate' && one.op !== 'bridge');
    this.category = category;
    this.#forget();
    this.writeAddress('push');
    void this.loadCategory([...before, ...ways]);
  }

  /** Goes to another area; a trial belongs to the area it was made in. */
  goToArea(area: Area): void {
    this.area = area.area_code;
    this.#kept.clear();
    this.#forget();
    this.outline = null;
    this.map?.goTo(area.bounds, 17);
    this.trial.start([]);
    this.writeAddress('push');
    void this.loadArea([]);
  }

  #forget(): void {
    this.chosen = null;
    this.begun = null;
    this.sites.forget();
    this.sheds.forget();
    this.display = 'minutes';
  }

  /** Another walker, another limit, another hour: everything is counted anew, the trial stays. */
  setWalk(walk: Partial<Pick<Circle, 'pace' | 'limit' | 'openAt'>>): void {
    Object.assign(this, walk);
    this.sites.forget();
    this.sheds.forget();
    this.writeAddress('push');
    void this.loadArea();
  }

  setWeigh(weigh: Weigh): void {
    this.weigh = weigh;
    this.writeAddress('replace');
  }

  setBy(by: By): void {
    if (by === this.by) return;
    this.by = by;
    this.rows = by === 'building' ? null : LOADING;
    this.writeAddress('replace');
    const { subject } = this;
    if (subject) void this.#loadRows(subject, AbortSignal.timeout(60_000));
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.begun = null;
  }

  /** Escape: first what was begun last. */
  dismiss(): void {
    if (this.begun) this.begun = null;
    else if (this.chosen) this.chosen = null;
    else if (this.sheds.found) this.sheds.forget();
    else this.tool = 'shed';
  }

  get start(): View | Bounds {
    return this.#address.view ?? this.bounds;
  }

  /** The box about the area. */
  get bounds(): Bounds {
    const area = this.areas.find((one) => one.area_code === this.area);
    return area?.bounds ?? valueIn(this.catalog)?.bounds ?? SOMEWHERE;
  }

  // The address

  travelled(search: string): void {
    const address = readCircle(search);
    const before = [this.area, this.pace, this.limit, this.openAt].join();
    const { area } = this;
    this.#take(address);
    this.area ??= area;
    this.#forget();
    if (address.view) this.map?.jump(address.view);
    const after = [this.area, this.pace, this.limit, this.openAt].join();
    if (before !== after || !this.category) void this.loadArea(address.changes);
    else void this.loadCategory(address.changes);
  }

  /** The query that is the whole of what is seen. */
  get query(): string {
    const { view, area, category, pace, limit, openAt, weigh, by, theme, language } = this;
    return writeCircle({
      view,
      area,
      category,
      pace,
      limit,
      openAt,
      weigh,
      by,
      theme,
      language,
      changes: this.trial.changes,
    });
  }

  writeAddress(how: 'push' | 'replace'): void {
    const { query } = this;
    if (query === location.search) return;
    if (how === 'push') history.pushState(null, '', query);
    else history.replaceState(null, '', query);
  }
}

/** What the page begins with: care of the old where there is any, else the first. */
function firstOf(overview: Coverage): Coverage['categories'][number] | undefined {
  const { categories } = overview;
  return (
    categories.find((one) => one.category === 'elder_day_care' && one.n_facilities > 0) ??
    categories.find((one) => one.n_facilities > 0) ??
    categories[0]
  );
}
