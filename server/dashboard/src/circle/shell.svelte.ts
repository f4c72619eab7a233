import type { StyleSpecification } from 'maplibre-gl';
import { api, type Theme } from '../api/client.ts';
import type { Bounds, Catalog } from '../api/types.ts';
import { type Key, type Language, titleIn, translate } from '../i18n/index.ts';
import { legendsOf } from '../layers/legend.ts';
import type { View } from '../state/address.ts';
import { type Layout, layoutOf, type Padding, unitOf } from '../state/layout.ts';
import { failed, LOADING, type Loadable, ready, valueIn } from '../state/loadable.ts';
import { remember, remembered } from '../state/remember.ts';
import { Search } from '../state/search.svelte.ts';
import { Toasts } from '../state/toast.svelte.ts';
import { circleStyle } from './dress.ts';
import type { CircleMap } from './map.ts';

/** What is the same whatever a page is about: words, theme, layout, catalogue, style, search. */
export abstract class Shell {
  language = $state<Language>('zh');
  theme = $state<Theme>('light');
  layout = $state<Layout>('desk');
  unit = $state(1);
  readonly toasts: Toasts = new Toasts();
  readonly search: Search = new Search(
    () => this.layout === 'sheet',
    () => (this.view ? [this.view.lng, this.view.lat] : null),
    (hit) => this.map?.goTo(hit.bounds, 17.5),
  );
  /** What a screen reader is told. */
  said = $state('');

  catalog = $state.raw<Loadable<Catalog>>(LOADING);
  style = $state.raw<Loadable<StyleSpecification>>(LOADING);

  view = $state.raw<View | null>(null);
  drawn = $state(false);
  mapTrouble = $state<string | null>(null);
  map: CircleMap | null = null;
  #styleAsked = 0;

  constructor(theme: Theme | null, language: Language | null, width: number, height: number) {
    this.theme = theme ?? remembered('theme', ['dark', 'light']) ?? 'light';
    this.language = language ?? remembered('language', ['zh', 'en']) ?? 'zh';
    this.resized(width, height);
  }

  abstract writeAddress(how: 'push' | 'replace'): void;
  /** The box of what the page is about. */
  abstract get bounds(): Bounds;

  t = (key: Key, holes?: Record<string, string | number>): string => translate(this.language, key, holes);

  title = (title: { zh: string; en: string }): string => titleIn(title, this.language);

  symbolOf = (layer: string): string | null => {
    const legend = this.style.state === 'ready' ? legendsOf(this.style.value).get(layer) : undefined;
    return legend?.symbol ?? legend?.items[0]?.symbol ?? null;
  };

  get demo(): boolean {
    return valueIn(this.catalog)?.demo ?? false;
  }

  get dress(): StyleSpecification | null {
    return this.style.state === 'ready' ? circleStyle(this.style.value, this.theme) : null;
  }

  protected async loadCatalog(): Promise<void> {
    this.catalog = LOADING;
    try {
      this.catalog = ready(await api.catalog());
    } catch (error) {
      this.catalog = failed(error);
    }
  }

  protected async loadStyle(): Promise<void> {
    this.#styleAsked += 1;
    const asked = this.#styleAsked;
    try {
      const style = await api.style(this.theme, this.language);
      if (asked !== this.#styleAsked) return;
      this.style = ready(style);
      const { dress } = this;
      if (dress) this.map?.replace(dress);
    } catch (error) {
      if (asked === this.#styleAsked) this.style = failed(error);
    }
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    remember('theme', theme);
    this.writeAddress('replace');
    void this.loadStyle();
  }

  setLanguage(language: Language): void {
    this.language = language;
    remember('language', language);
    this.writeAddress('replace');
    void this.loadStyle();
  }

  resized(width: number, height: number): void {
    this.layout = layoutOf(width);
    this.unit = unitOf(width, height);
    this.map?.setPadding(this.padding);
  }

  /** The panels stand beside the map, not on it. */
  get padding(): Padding {
    return { top: 24, right: 24, bottom: 24, left: 24 };
  }

  goHome(): void {
    this.map?.goTo(this.bounds, 17);
  }

  settled(view: View): void {
    this.view = view;
    this.writeAddress('replace');
  }
}
