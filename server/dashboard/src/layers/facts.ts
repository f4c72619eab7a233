import type { CameraMore, GroundMore, PointMore } from '../api/reading.ts';
import { type Key, type Language, translate } from '../i18n/index.ts';
import { area, count, instant } from './format.ts';

/** A fact that no field holds: a label, a value, a remark. */
export interface Fact {
  readonly label: string;
  readonly text: string;
  readonly remark?: string;
  readonly tone?: 'plain' | 'bad' | 'warn';
}

type Say = (key: Key, holes?: Record<string, string | number>) => string;

const sayIn =
  (language: Language): Say =>
  (key, holes = {}) =>
    translate(language, key, holes);

/** What a card says of a camera beyond its fields: the ground it sees, its age. */
export function cameraFacts(more: CameraMore, language: Language): readonly Fact[] {
  const t = sayIn(language);
  const facts: Fact[] = [];
  if (more.ground_m2 !== null) {
    const remark =
      more.sees_buildings === null ? {} : { remark: t('card.camera.sees', { n: more.sees_buildings }) };
    facts.push({ label: t('card.camera.ground'), text: area(more.ground_m2, language), ...remark });
  }
  if (more.age_years !== null)
    facts.push({ label: t('card.camera.age'), text: t('card.years', { n: Math.floor(more.age_years) }) });
  return facts;
}

/** What lies in an area or estate. */
export function groundFacts(more: GroundMore, language: Language): readonly Fact[] {
  const t = sayIn(language);
  const rows: readonly (readonly [label: string, n: number | null])[] = [
    [t('card.grid.buildings'), more.n_buildings],
    [t('card.grid.households'), more.households],
    [t('card.grid.persons'), more.persons],
    [t('card.area.grids'), more.n_grids],
    [t('card.area.open'), more.n_open],
  ];
  return rows.flatMap(([label, n]) => (n === null ? [] : [{ label, text: count(n, language) }]));
}

/** When a QR point was visited and when it is next. */
export function pointFacts(more: PointMore, language: Language): readonly Fact[] {
  const t = sayIn(language);
  const { visits } = more;
  if (!visits) return [];
  const last = visits.last_visit_at;
  const facts: Fact[] = [
    { label: t('card.point.last'), text: last === null ? t('card.point.never') : instant(last) },
  ];
  if (visits.next_at !== null)
    facts.push({
      label: t('card.point.next'),
      text: instant(visits.next_at),
      ...(visits.overdue ? { remark: t('events.late'), tone: 'bad' as const } : {}),
    });
  return facts;
}

/** Fields that a layer's own part says better. */
export const SAID_BETTER: Readonly<Record<string, readonly string[]>> = {
  grids: ['officer_post', 'officer_phone', 'n_informants', 'n_management_points', 'households', 'persons'],
  buildings: ['estate_id', 'grid_code'],
  areas: ['households', 'persons', 'parent_code', 'code_system'],
  estates: ['households'],
  patrol_points: ['last_visit_at', 'due_days'],
  events: ['place', 'reported_at', 'deadline_at', 'grid_code', 'h3'],
};
