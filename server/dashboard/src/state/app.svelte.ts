import type { StyleSpecification } from 'maplibre-gl';
import { api, type Theme } from '../api/client.ts';
import type { CardAnswer } from '../api/reading.ts';
import type { Area, Bounds, Catalog, Count, Grid, Kpis, Layer, LngLat } from '../api/types.ts';
import { type Key, type Language, titleIn, translate } from '../i18n/index.ts';
import { dressed, withGridNumbers } from '../layers/dress.ts';
import { countInView, drawnEvents, EVENTS, withListedEvents } from '../layers/events.ts';
import { type Legend, legendsOf } from '../layers/legend.ts';
import type { Look } from '../layers/look.ts';
import { clickOn, type Hit } from '../layers/pick.ts';
import { type GroupRow, treeOf } from '../layers/tree.ts';
import type { MapView } from '../map/view.ts';
import { type Address, lookOf, readAddress, type Selection, type View, writeAddress } from './address.ts';
import { Card } from './card.svelte.ts';
import { Charts } from './charts.svelte.ts';
import { dispatchEvents } from './dispatch.ts';
import { Events } from './events.svelte.ts';
import { decodeFilter, type EventFilter, eventQuery, levelsOf, NO_FILTER, type Place } from './filter.ts';
import { liveHooks } from './follow.ts';
import { Force } from './force.svelte.ts';
import { CLOSEST, Going } from './going.ts';
import { Heat } from './heat.svelte.ts';
import { InView } from './inView.svelte.ts';
import { KpiChoice } from './kpiChoice.svelte.ts';
import { type Layout, layoutOf, type Padding, paddingOf, unitOf } from './layout.ts';
import { Live } from './live.svelte.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from './loadable.ts';
import { Places } from './places.svelte.ts';
import { Reader } from './reader.svelte.ts';
import { remember, remembered } from './remember.ts';
import { Responders } from './responders.svelte.ts';
import { Search } from './search.svelte.ts';
import { Select } from './select.svelte.ts';
import { Sound } from './sound.svelte.ts';
import { Toasts } from './toast.svelte.ts';
import { Veil } from './veil.svelte.ts';
import { Wall } from './wall.svelte.ts';

/** Without a bounds in the catalogue: where the demo city stands. */
const SOMEWHERE: Bounds = [117.27, 31.68, 117.33, 31.72];

/** Several things lay where the reader clicked. */
export interface Choice {
  readonly hits: readonly Hit[];
  readonly also: readonly Hit[];
  /** Where the reader clicked, px in the map. */
  readonly pixel: readonly [x: number, y: number];
}

/** A window that lies over the page; one at a time. */
export type Dialog = 'help' | 'table' | 'person' | 'print' | 'charts' | null;

/** What the page knows, and what may be done to it. Panels read it and call its verbs. */
export class App {
  language = $state<Language>('zh');
  theme = $state<Theme>('light');
  layout = $state<Layout>('desk');
  unit = $state(1);

  catalog = $state.raw<Loadable<Catalog>>(LOADING);
  style = $state.raw<Loadable<StyleSpecification>>(LOADING);
  look = $state.raw<Look | null>(null);
  readonly inView: InView = new InView();

  readonly reader: Reader = new Reader();

  view = $state.raw<View | null>(null);
  pointer = $state.raw<LngLat | null>(null);
  mapTrouble = $state<string | null>(null);
  /** The map has come first; now the panels, and what they show. */
  started = $state(false);
  drawn = $state(false);

  selection = $state.raw<Selection | null>(null);
  readonly #card: Card = new Card((title) => {
    this.said = title;
  });
  /** What a card points at without opening it. */
  highlighted = $state.raw<Selection | null>(null);
  choice = $state.raw<Choice | null>(null);
  also = $state.raw<readonly Hit[]>([]);

  /** What is drilled down to; every panel and query follows. */
  place = $state.raw<Place>({ area: null, grid: null });
  readonly #places: Places = new Places();
  filter = $state.raw<EventFilter>(NO_FILTER);
  kpis = $state.raw<Loadable<Kpis>>(LOADING);
  readonly events: Events = new Events(
    (now, whole) => this.#eventQuery(now, whole),
    (added) =>
      added ? this.map?.addEvents(drawnEvents(added)) : this.map?.setEvents(drawnEvents(this.events.events)),
  );
  readonly go: Going = new Going(this);
  readonly heat: Heat = new Heat();
  readonly search: Search = new Search(
    () => this.layout === 'sheet',
    () => (this.view ? [this.view.lng, this.view.lat] : null),
    (hit) => this.go.toFound(hit),
  );
  readonly responders: Responders = new Responders(dispatchEvents(this));
  readonly force: Force = new Force(() => this.place);
  readonly live: Live = new Live(liveHooks(this));
  readonly charts: Charts = new Charts();
  readonly toasts: Toasts = new Toasts();
  readonly veil: Veil = new Veil();
  readonly select: Select = new Select(this);
  readonly wall: Wall = new Wall(this);
  readonly sound: Sound = new Sound();
  readonly kpiChoice: KpiChoice = new KpiChoice();
  /** Whether grids show their numbers; key G. */
  gridNumbers = $state(true);
  now = $state(Date.now());

  layersOpen = $state(true);
  sideOpen = $state(true);
  sideTab = $state<'events' | 'card' | 'force'>('events');
  timelineOpen = $state(false);
  dialog = $state<Dialog>(null);
  measuring = $state(false);
  /** What a screen reader is told. */
  said = $state('');

  readonly legends: ReadonlyMap<string, Legend> = $derived(
    this.style.state === 'ready' ? legendsOf(this.style.value) : new Map<string, Legend>(),
  );
  readonly tree: readonly GroupRow[] = $derived(this.#tree());

  map: MapView | null = null;
  readonly #address: Address;
  bounds = $state.raw<Bounds | null>(null);
  #styleAsked = 0;
  /** While something is drawn, clicks draw instead of pick. */
  #drawing: { add(at: LngLat): void; end(): void } | null = null;

  constructor(search: string, width: number, height: number) {
    this.#address = readAddress(search);
    this.resized(width, height);
    const wall = this.layout === 'wall';
    this.theme = this.#address.theme ?? remembered('theme', ['dark', 'light']) ?? (wall ? 'dark' : 'light');
    this.language = this.#address.language ?? remembered('language', ['zh', 'en']) ?? 'zh';
    this.layersOpen = this.layout === 'wall' || this.layout === 'desk';
    this.sideOpen = this.layersOpen;
    this.selection = this.#address.selection;
    this.sideTab = this.selection ? 'card' : 'events';
    this.place = this.#address.place;
    this.filter = decodeFilter(this.#address.filter);
  }

  // Words

  t = (key: Key, holes?: Record<string, string | number>): string => translate(this.language, key, holes);

  title = (title: { zh: string; en: string }): string => titleIn(title, this.language);

  layerOf = (name: string): Layer | null =>
    valueIn(this.catalog)?.layers.find((l) => l.name === name) ?? null;

  symbolOf = (name: string): string | null => {
    const legend = this.legends.get(name);
    return legend?.symbol ?? legend?.items[0]?.symbol ?? null;
  };

  /** The symbol of one thing: of its class where the legend divides the layer, else of its layer. */
  symbolOfHit = (hit: { layer: string; properties: Readonly<Record<string, unknown>> }): string | null => {
    const legend = this.legends.get(hit.layer);
    const value = legend?.field ? hit.properties[legend.field] : undefined;
    return legend?.items.find((item) => item.value === String(value))?.symbol ?? this.symbolOf(hit.layer);
  };

  // Loading

  async load(): Promise<void> {
    await Promise.all([this.#loadCatalog(), this.#loadStyle(), this.reader.load()]);
    const selected = this.selection ? this.#card.load(this.selection) : null;
    await Promise.all([selected, this.events.refresh(), this.started ? this.#loadPanels() : null]);
  }

  /** A browser asks for six things at a time: what the map does not show waits until the map is there. */
  showPanels(): void {
    if (this.started) return;
    this.started = true;
    void this.inView.load(this.bounds);
    void this.#loadPanels();
  }

  async #loadPanels(): Promise<void> {
    await Promise.all([this.#places.load(this.place), this.loadKpis()]);
    this.wall.follow(this.#address.wall);
  }

  /** The indicators of where one is; the old numbers stay until the new ones are here. */
  async loadKpis(): Promise<void> {
    try {
      this.kpis = ready(await api.kpis(this.place.grid ?? this.place.area));
    } catch (error) {
      const failure = failed(error);
      if (this.kpis.state !== 'ready') this.kpis = failure;
    }
  }

  async #loadCatalog(): Promise<void> {
    this.catalog = LOADING;
    try {
      const catalog = await api.catalog();
      this.look = lookOf(this.#address, catalog);
      this.catalog = ready(catalog);
    } catch (error) {
      this.catalog = failed(error);
    }
  }

  async #loadStyle(): Promise<void> {
    this.#styleAsked += 1;
    const asked = this.#styleAsked;
    try {
      const style = await api.style(this.theme, this.language);
      if (asked !== this.#styleAsked) return;
      this.style = ready(style);
      const dress = this.dress;
      if (dress) this.map?.replace(dress);
    } catch (error) {
      if (asked === this.#styleAsked) this.style = failed(error);
    }
  }

  /** The style as the reader wants it, once catalogue and style are here. */
  get dress(): StyleSpecification | null {
    return this.style.state === 'ready' ? this.dressOf(this.style.value) : null;
  }

  /** Any style of ours (a print's is the light one) with the reader's layers and the listed events. */
  dressOf(style: StyleSpecification): StyleSpecification | null {
    if (!this.look) return null;
    const listed = this.seesEvents ? withListedEvents(style, this.#drawn()) : style;
    return withGridNumbers(dressed(listed, this.legends, this.look), this.gridNumbers);
  }

  #tree(): readonly GroupRow[] {
    const catalog = valueIn(this.catalog);
    return catalog && this.look
      ? treeOf(catalog, this.legends, this.look, this.#counts(), this.view?.zoom ?? 0)
      : [];
  }

  /** The server's counts; of events those of the list, which the map draws. */
  #counts(): Readonly<Record<string, Count>> | null {
    const { counts } = this.inView;
    if (!counts || !this.seesEvents || !this.bounds) return counts;
    return { ...counts, [EVENTS]: countInView(this.events.events, this.events.complete, this.bounds) };
  }

  // Events

  get seesEvents(): boolean {
    return this.layerOf(EVENTS)?.allowed ?? false;
  }

  #drawn(): ReturnType<typeof drawnEvents> {
    return drawnEvents(this.events.events);
  }

  /** `whole` leaves the time out: the time bar shows what lies outside the chosen time too. */
  #eventQuery(now: number, whole: boolean): URLSearchParams | null {
    if (!this.seesEvents || !this.look) return null;
    const filter = whole ? { ...this.filter, time: NO_FILTER.time } : this.filter;
    return eventQuery(filter, this.place, levelsOf(this.look), this.bounds, now);
  }

  /** What the list shows, as the server is asked for it. */
  listQuery(): URLSearchParams | null {
    return this.#eventQuery(valueIn(this.events.listing)?.at ?? Date.now(), false);
  }

  setFilter(filter: EventFilter): void {
    this.filter = filter;
    this.#writeAddress('replace');
    void this.events.refresh();
  }

  setGridNumbers(shown: boolean): void {
    this.gridNumbers = shown;
    const dress = this.dress;
    if (dress) this.map?.restyle(dress);
  }

  /** Goes to an area or grid, and narrows every panel to it. */
  drill(place: Place, bounds: Bounds, how: 'push' | 'replace' = 'push'): void {
    this.place = place;
    // Before the flight, whose end rewrites the address in place.
    this.#writeAddress(how);
    this.map?.goTo({ bounds, maxZoom: CLOSEST });
    void this.#places.loadGrids(this.place);
    void this.loadKpis();
    void this.events.refresh();
  }

  // The map tells

  get areas(): readonly Area[] {
    return this.#places.areas;
  }

  get grids(): readonly Grid[] {
    return this.#places.grids;
  }

  /** Where the map starts: the address's view, else the whole area. */
  get start(): View | Bounds {
    return this.#address.view ?? this.home;
  }

  get home(): Bounds {
    return valueIn(this.catalog)?.bounds ?? SOMEWHERE;
  }

  get padding(): Padding {
    return paddingOf(this.layout, this.unit, {
      layers: this.layersOpen,
      side: this.sideShown,
      timeline: this.timelineShown,
    });
  }

  settled(view: View, bounds: Bounds): void {
    this.view = view;
    this.bounds = bounds;
    this.#writeAddress('replace');
    if (this.filter.inView) void this.events.refresh();
    if (this.started) void this.inView.load(bounds);
  }

  clicked(hits: readonly Hit[], at: LngLat, pixel: readonly [x: number, y: number]): void {
    if (this.#drawing) {
      this.#drawing.add(at);
      return;
    }
    const catalog = valueIn(this.catalog);
    if (!catalog) return;
    const click = clickOn(hits, catalog);
    switch (click.kind) {
      case 'nothing':
        this.close();
        break;
      case 'cluster':
        this.map?.zoomBy(2, click.hit.at);
        break;
      case 'one':
        this.openHit(click.hit, click.also);
        break;
      case 'several':
        this.#forget();
        this.choice = { hits: click.hits, also: click.also, pixel };
        this.said = this.t('chooser.title', { n: click.hits.length });
        this.map?.setPadding(this.padding);
        break;
    }
  }

  doubleClicked(): void {
    this.#drawing?.end();
  }

  // The reader does

  startDrawing(drawing: { add(at: LngLat): void; end(): void }): void {
    this.close();
    this.#drawing = drawing;
    this.map?.setPicking(false);
  }

  stopDrawing(): void {
    this.#drawing = null;
    this.map?.setPicking(true);
    this.map?.sketch([], false);
  }

  openHit(hit: Hit, also: readonly Hit[]): void {
    if (hit.fid === null) return;
    void this.open({ layer: hit.layer, fid: hit.fid });
    this.also = also.filter((other) => other.fid !== null);
    this.map?.reveal(hit.at);
  }

  open(selection: Selection): Promise<void> {
    this.choice = null;
    this.also = [];
    this.selection = selection;
    this.sideTab = 'card';
    if (this.layout === 'sheet') this.layersOpen = false;
    this.map?.setPadding(this.padding);
    this.#writeAddress('push');
    return this.#card.load(selection);
  }

  get card(): Loadable<CardAnswer> {
    return this.#card.shown;
  }

  /** What is selected has changed: its card is asked for again and meanwhile stays. */
  reloadCard(): void {
    if (this.selection) void this.#card.load(this.selection, true);
  }

  retryCard(): void {
    if (this.selection) void this.#card.load(this.selection);
  }

  /** Closes the card or the chooser. */
  close(): void {
    if (!this.selection && !this.choice) return;
    const selected = this.selection !== null;
    this.#forget();
    this.choice = null;
    this.map?.setPadding(this.padding);
    if (selected) this.#writeAddress('push');
  }

  #forget(): void {
    this.#card.abort();
    this.selection = null;
    this.highlighted = null;
    this.sideTab = 'events';
    this.also = [];
  }

  setLook(look: Look): void {
    const levels = this.look ? levelsOf(this.look) : [];
    this.look = look;
    if (levels.join() !== levelsOf(look).join()) void this.events.refresh();
    const dress = this.dress;
    if (dress) this.map?.restyle(dress);
    this.#writeAddress('replace');
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    remember('theme', theme);
    this.#writeAddress('replace');
    void this.#loadStyle();
  }

  setLanguage(language: Language): void {
    this.language = language;
    remember('language', language);
    this.#writeAddress('replace');
    void this.#loadStyle();
  }

  /** Whether the right panel is there at all. */
  get sideShown(): boolean {
    return this.sideOpen || this.selection !== null;
  }

  get timelineShown(): boolean {
    return this.seesEvents && (this.layout === 'wall' || this.timelineOpen);
  }

  setSideOpen(open: boolean): void {
    this.sideOpen = open;
    this.map?.setPadding(this.padding);
  }

  setLayersOpen(open: boolean): void {
    this.layersOpen = open;
    if (open && this.layout === 'sheet') this.close();
    this.map?.setPadding(this.padding);
  }

  resized(width: number, height: number): void {
    const layout = layoutOf(width);
    if (layout !== this.layout) {
      this.layersOpen = layout === 'wall' || layout === 'desk';
      this.sideOpen = this.layersOpen;
    }
    this.layout = layout;
    this.unit = unitOf(width, height);
    this.map?.setPadding(this.padding);
  }

  retry(): void {
    void this.load();
  }

  // The address

  /** The reader went back or forward. */
  travelled(search: string): void {
    const address = readAddress(search);
    const catalog = valueIn(this.catalog);
    this.choice = null;
    this.also = [];
    this.place = address.place;
    this.filter = decodeFilter(address.filter);
    this.selection = address.selection;
    this.sideTab = this.selection ? 'card' : 'events';
    if (catalog) {
      this.look = lookOf(address, catalog);
      const dress = this.dress;
      if (dress) this.map?.restyle(dress);
    }
    // Last, for the map's answer writes the address.
    if (address.view) this.map?.jump(address.view);
    this.wall.follow(address.wall);
    void this.loadKpis();
    void this.events.refresh();
    if (this.selection) void this.#card.load(this.selection);
  }

  /** What the address holds has changed elsewhere. */
  readdress(): void {
    this.#writeAddress('replace');
  }

  #writeAddress(how: 'push' | 'replace'): void {
    const catalog = valueIn(this.catalog);
    if (!catalog || !this.look) return;
    const { view, theme, language, selection, look, place, filter } = this;
    // Until the areas are here the address alone knows of the round.
    const wall = this.wall.on ? this.wall.seconds : this.areas.length === 0 ? this.#address.wall : null;
    const search = writeAddress({ view, theme, language, selection, look, place, filter, catalog, wall });
    if (search === location.search) return;
    if (how === 'push') history.pushState(null, '', search);
    else history.replaceState(null, '', search);
  }
}
