import type { Area, Grid } from '../api/types.ts';
import { type Language, translate } from '../i18n/index.ts';

/**
 * The way from the city down to an area. Without one, as far down as there is no choice: a server of one community
 * starts there.
 */
export function crumbsOf(areas: readonly Area[], code: string | null): readonly Area[] {
  const known = new Map(areas.map((area) => [area.area_code, area]));
  let area = (code !== null ? known.get(code) : undefined) ?? onlyWay(areas);
  const way: Area[] = [];
  while (area && !way.includes(area)) {
    way.unshift(area);
    area = area.parent_code === null ? undefined : known.get(area.parent_code);
  }
  return way;
}

/** The deepest area that is reached from the top without choosing. */
function onlyWay(areas: readonly Area[]): Area | undefined {
  const codes = new Set(areas.map((area) => area.area_code));
  let level = areas.filter((area) => area.parent_code === null || !codes.has(area.parent_code));
  let found: Area | undefined;
  while (level.length === 1) {
    found = level[0];
    level = areas.filter((area) => area.parent_code === found?.area_code);
  }
  return found;
}

/** The areas beside one, itself among them. */
export function siblingsOf(areas: readonly Area[], area: Area): readonly Area[] {
  return areas.filter((other) => other.parent_code === area.parent_code && other.level === area.level);
}

/** What a grid is called on a card: its name, else 网格 and its number. */
export function gridName(
  grid: { readonly grid_code: string; readonly grid_no: string | null; readonly name: string | null },
  language: Language,
): string {
  return grid.name ?? translate(language, 'place.grid', { n: gridTitle(grid) });
}

/** Two digits as on the map; the end of the code where the grid has no number. */
export function gridTitle(grid: Pick<Grid, 'grid_no' | 'grid_code'>): string {
  const number = grid.grid_no ?? grid.grid_code.slice(-3);
  return number.replace(/^0(\d\d)$/, '$1').padStart(2, '0');
}
