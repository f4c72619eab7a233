import type { FeatureCollection } from 'geojson';
import type { Candidate, Nearest, Skipped } from '../api/reading.ts';
import { type Key, type Language, translate } from '../i18n/index.ts';
import type { Overlay } from '../map/overlays.ts';
import { duration } from './age.ts';
import { length } from './format.ts';

/** Reasons that a row has room for. */
const MOST_REASONS = 2;

/** Why someone stands in the list; the server's own sentence where the code is new to us. */
export function reasonText(one: Candidate | Skipped, language: Language): string {
  const codes = 'reason_codes' in one ? one.reason_codes : [one.reason_code];
  // That the way is short is true of all: it is said where nothing else is.
  const telling = codes.length > 1 ? codes.filter((code) => code !== 'soonest') : codes;
  const keys = telling.slice(0, MOST_REASONS).flatMap((code) => REASONS[code] ?? []);
  return keys.length === Math.min(telling.length, MOST_REASONS)
    ? keys.map((key) => translate(language, key)).join(language === 'zh' ? '、' : ', ')
    : one.reason;
}

const REASONS: Readonly<Record<string, Key>> = {
  own_grid: 'near.reason.own_grid',
  soonest: 'near.reason.soonest',
  straight_line: 'near.reason.straight_line',
  home_grid: 'near.reason.home_grid',
  neighbouring_grid: 'near.reason.neighbouring_grid',
  has_skill: 'near.reason.has_skill',
  called_in: 'near.reason.called_in',
  off_duty: 'near.skip.off_duty',
  no_position: 'near.skip.no_position',
  stale: 'near.skip.stale',
  wrong_skill: 'near.skip.wrong_skill',
  busy: 'near.skip.busy',
  other_area: 'near.skip.other_area',
  unreachable: 'near.skip.unreachable',
  too_far: 'near.skip.too_far',
};

const MODES: Readonly<Record<string, Key>> = {
  foot: 'near.mode.foot',
  ebike: 'near.mode.ebike',
  car: 'near.mode.car',
};

/** How far and how: `370 m·电动车`. */
export function wayText(one: Candidate, mode: string, language: Language): string {
  const key = MODES[mode];
  return [length(one.metres), key ? translate(language, key) : mode].join('·');
}

/** Minutes with one decimal, as a dispatcher compares them. */
export function minutes(seconds: number): string {
  return (seconds / 60).toFixed(1);
}

/** Whether the way was only guessed. */
export function isStraight(one: Candidate): boolean {
  return one.method !== 'network';
}

/** What someone has in hand and how old the position is: `在办 2·定位 78 秒前`. */
export function handText(
  one: Pick<Candidate, 'n_tasks' | 'position_at'>,
  now: number,
  language: Language,
): string {
  const tasks = translate(language, 'near.tasks', { n: one.n_tasks });
  return one.position_at === null
    ? tasks
    : `${tasks}·${translate(language, 'near.age', { time: ageText(now - Date.parse(one.position_at), language) })}`;
}

/** Seconds up to two minutes, then minutes and more. */
export function ageText(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 120 ? translate(language, 'near.seconds', { n: seconds }) : duration(ms, language);
}

/** Those passed over, together by reason, most first; of many only the first are named. */
export function skippedByReason(
  { skipped, n_skipped }: Pick<Nearest, 'skipped' | 'n_skipped'>,
  language: Language,
): readonly { readonly reason: string; readonly n: number; readonly posts: readonly string[] }[] {
  return Object.entries(n_skipped)
    .map(([code, n]) => {
      const named = skipped.filter((one) => one.reason_code === code);
      const key = REASONS[code];
      const reason = key ? translate(language, key) : (named[0]?.reason ?? code);
      return { reason, n, posts: named.map((one) => one.post) };
    })
    .toSorted((a, b) => b.n - a.n);
}

export function nSkipped({ n_skipped }: Pick<Nearest, 'n_skipped'>): number {
  return Object.values(n_skipped).reduce((sum, n) => sum + n, 0);
}

/** Routes and numbers: the chosen one strong over a casing, the others dotted. Straight lines have no route. */
export function routesOverlay(
  nearest: Nearest,
  chosen: number,
  colours: { accent: string; halo: string; text: string; onAccent: string },
): Overlay {
  const isChosen: ['==', ['get', string], boolean] = ['==', ['get', 'chosen'], true];
  const isLine: ['==', ['geometry-type'], string] = ['==', ['geometry-type'], 'LineString'];
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const;
  return {
    data: routesData(nearest, chosen),
    paints: [
      {
        name: 'others',
        slot: 'routes',
        type: 'line',
        filter: ['all', isLine, ['!', isChosen]],
        layout: round,
        paint: { 'line-color': colours.text, 'line-width': 2.2, 'line-dasharray': [0.05, 2.7] },
      },
      {
        name: 'casing',
        slot: 'selection',
        type: 'line',
        filter: ['all', isLine, isChosen],
        layout: round,
        paint: { 'line-color': colours.halo, 'line-width': 8 },
      },
      {
        name: 'first',
        slot: 'selection',
        type: 'line',
        filter: ['all', isLine, isChosen],
        layout: round,
        paint: { 'line-color': colours.accent, 'line-width': 4.5 },
      },
      {
        name: 'numbers',
        slot: 'selection',
        type: 'symbol',
        filter: ['==', ['geometry-type'], 'Point'],
        layout: {
          'icon-image': ['concat', 'responder-', ['get', 'role'], '-filled'],
          'icon-overlap': 'always',
          'text-field': ['get', 'rank'],
          'text-font': ['Onemap Semibold', 'Noto Sans SC Variable', 'Noto Sans SC', 'sans-serif'],
          'text-size': 13,
          'text-overlap': 'always',
          // The first lies on top.
          'symbol-sort-key': ['-', ['to-number', ['get', 'rank']]],
        },
        paint: { 'text-color': colours.onAccent },
      },
    ],
  };
}

function routesData(nearest: Nearest, chosen: number): FeatureCollection {
  const features = nearest.candidates.flatMap((one, i): FeatureCollection['features'] => {
    const path = one.route.map(([lng, lat]) => [lng, lat]);
    const [start] = path;
    if (!start) return [];
    const properties = { rank: String(i + 1), role: one.role, chosen: i === chosen };
    const point = { type: 'Feature', properties, geometry: { type: 'Point', coordinates: start } } as const;
    if (path.length < 2) return [point];
    return [{ type: 'Feature', properties, geometry: { type: 'LineString', coordinates: path } }, point];
  });
  return { type: 'FeatureCollection', features };
}
