import { type Choice, filterAfter } from '../layers/charts.ts';
import type { App } from './app.svelte.ts';
import { LEVELS } from './filter.ts';

/** A click on a bar filters list and map alike. */
export function choose(app: App, choice: Choice): void {
  if (choice.kind === 'area') {
    const area = app.areas.find((one) => one.area_code === choice.code);
    const grid = app.grids.find((one) => one.grid_code === choice.code);
    if (grid) app.drill({ area: app.place.area, grid: grid.grid_code }, grid.bounds);
    else if (area) app.drill({ area: area.area_code, grid: null }, area.bounds);
  }
  if (choice.kind === 'level' && app.look) {
    const hidden = new Set([...app.look.hidden].filter((word) => !word.startsWith('events:')));
    for (const level of LEVELS) if (level !== choice.level) hidden.add(`events:${level}`);
    app.setLook({ ...app.look, hidden });
  }
  app.setFilter(filterAfter(app.filter, choice, app.charts.days, Date.now()));
  app.setSideOpen(true);
  app.sideTab = 'events';
}
