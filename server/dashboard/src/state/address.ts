import type { Theme } from '../api/client.ts';
import type { Catalog } from '../api/types.ts';
import type { Language } from '../i18n/index.ts';
import { decodeLook, encodeLook, firstLook, type Look, sameLook } from '../layers/look.ts';
import { type EventFilter, encodeFilter, type Place } from './filter.ts';

/** How long an area may stay on the big screen, seconds. */
export const STAYS = [10, 20, 30, 60, 120] as const;
export const USUAL_STAY = 20;

/** Where the map looks. Longitude and latitude in degrees, bearing clockwise from north. */
export interface View {
  readonly lng: number;
  readonly lat: number;
  readonly zoom: number;
  readonly bearing: number;
  readonly pitch: number;
}

export interface Selection {
  readonly layer: string;
  readonly fid: number;
}

/** What the address holds: all that a colleague needs to see the same. `null` is "as it comes". */
export interface Address {
  readonly view: View | null;
  readonly theme: Theme | null;
  readonly language: Language | null;
  readonly selection: Selection | null;
  readonly place: Place;
  /** The event filter as a word; see state/filter.ts. */
  readonly filter: string;
  /** `on`, `hidden` and `opacity` of the look as words; read with the catalogue at hand. */
  readonly look: readonly [on: string, hidden: string, opacity: string] | null;
  /** The big screen goes round, each area so many seconds; null where it does not. */
  readonly wall: number | null;
}

export function readAddress(search: string): Address {
  const params = new URLSearchParams(search);
  const theme = params.get('theme');
  const language = params.get('lang');
  return {
    view: readView(params.get('v')),
    theme: theme === 'dark' || theme === 'light' ? theme : null,
    language: language === 'zh' || language === 'en' ? language : null,
    selection: readSelection(params.get('sel')),
    place: { area: code(params.get('area'), 2, 12), grid: code(params.get('grid'), 15, 15) },
    filter: params.get('ev') ?? '',
    look: params.has('on')
      ? [params.get('on') ?? '', params.get('hide') ?? '', params.get('fade') ?? '']
      : null,
    wall: readStay(params.get('wall')),
  };
}

/** The look of an address, or the first look where it says nothing. */
export function lookOf(address: Address, catalog: Catalog): Look {
  return address.look ? decodeLook(catalog, ...address.look) : firstLook(catalog);
}

/** The query of an address; slashes and dots stay readable. */
export function writeAddress(state: {
  view: View | null;
  theme: Theme;
  language: Language;
  selection: Selection | null;
  look: Look;
  place: Place;
  filter: EventFilter;
  catalog: Catalog;
  wall: number | null;
}): string {
  const words: string[] = [];
  if (state.view) words.push(`v=${writeView(state.view)}`);
  if (!sameLook(state.look, firstLook(state.catalog))) {
    const [on, hidden, opacity] = encodeLook(state.look);
    words.push(`on=${on}`);
    if (hidden) words.push(`hide=${encodeURIComponent(hidden)}`);
    if (opacity) words.push(`fade=${encodeURIComponent(opacity)}`);
  }
  if (state.place.area) words.push(`area=${state.place.area}`);
  if (state.place.grid) words.push(`grid=${state.place.grid}`);
  const filter = encodeFilter(state.filter);
  if (filter) words.push(`ev=${encodeURIComponent(filter)}`);
  words.push(`theme=${state.theme}`, `lang=${state.language}`);
  if (state.wall !== null) words.push(`wall=${state.wall}`);
  if (state.selection) words.push(`sel=${state.selection.layer}/${state.selection.fid}`);
  return `?${words.join('&')}`;
}

/** A code of digits, or nothing. */
export function code(text: string | null, least: number, most: number): string | null {
  return text && /^\d+$/.test(text) && text.length >= least && text.length <= most ? text : null;
}

export function writeView(view: View): string {
  const parts = [view.zoom.toFixed(2), view.lat.toFixed(5), view.lng.toFixed(5)];
  if (view.bearing !== 0 || view.pitch !== 0) parts.push(view.bearing.toFixed(0), view.pitch.toFixed(0));
  return parts.join('/');
}

export function readView(text: string | null): View | null {
  if (!text) return null;
  const [zoom, lat, lng, bearing = 0, pitch = 0] = text.split('/').map(Number);
  const given = [zoom, lat, lng, bearing, pitch];
  if (zoom === undefined || lat === undefined || lng === undefined || given.some((x) => !Number.isFinite(x)))
    return null;
  if (Math.abs(lat) > 85 || Math.abs(lng) > 180 || zoom < 0 || zoom > 24) return null;
  return { zoom, lat, lng, bearing, pitch };
}

/** `wall=1` is enough to say that it goes round; any other number is its seconds. */
function readStay(text: string | null): number | null {
  if (!text || !/^\d{1,3}$/.test(text) || Number(text) === 0) return null;
  return STAYS.find((seconds) => seconds === Number(text)) ?? USUAL_STAY;
}

function readSelection(text: string | null): Selection | null {
  const match = /^([a-z][a-z0-9_]{0,62})\/(\d{1,18})$/.exec(text ?? '');
  return match ? { layer: match[1] ?? '', fid: Number(match[2]) } : null;
}
