import type { App } from './app.svelte.ts';
import { dispatchBarred } from './dispatch.ts';

/** Steps of the arrow keys, px. */
const STEP = 120;

/** What a key does. Keys sleep in inputs, and while Ctrl, Alt or Meta is held. */
export function onKey(event: KeyboardEvent, app: App): void {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'p' && app.look) {
    // Our sheet instead of the browser's picture of the page.
    event.preventDefault();
    app.dialog = 'print';
    return;
  }
  const target = event.target instanceof HTMLElement ? event.target : null;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !(target && isTyping(target))) {
    // What a toast offers is to take the last act back.
    if (app.toasts.act()) event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (event.key === 'Escape') {
    closeTop(app);
    return;
  }
  if (target && isTyping(target)) return;
  const act = ACTS[event.shiftKey && event.key.toLowerCase() === 'd' ? 'Shift+D' : event.key];
  if (!act || (target?.closest('dialog') && event.key !== '?')) return;
  // The map's canvas moves by its own keys when it has the focus.
  if (target?.classList.contains('maplibregl-canvas') && ['+', '=', '-', '_'].includes(event.key)) return;
  if (event.key.startsWith('Arrow') && target !== document.body) return;
  event.preventDefault();
  act(app);
}

type Act = (app: App) => void;

const zoomIn: Act = (app) => app.map?.zoomBy(1);
const zoomOut: Act = (app) => app.map?.zoomBy(-1);
const layers: Act = (app) => app.setLayersOpen(!app.layersOpen);
const tilt: Act = (app) => app.map?.tilt();
const timeline: Act = (app) => {
  app.timelineOpen = !app.timelineOpen;
  app.map?.setPadding(app.padding);
};
const table: Act = (app) => {
  app.dialog = 'table';
};
/** One tool at a time draws on the map. */
export const toggleMeasure: Act = (app) => {
  app.select.open = false;
  app.measuring = !app.measuring;
};
export const toggleSelect: Act = (app) => {
  app.measuring = false;
  app.select.open = !app.select.open;
};
const wall: Act = (app) => app.wall.toggle();
const fullScreen: Act = () => void toggleFullScreen();

const charts: Act = (app) => {
  if (app.seesEvents) app.dialog = 'charts';
};
const dispatch: Act = (app) => {
  if (app.selection) app.sideTab = 'card';
  if (dispatchBarred(app) === null) app.responders.arm(true);
};

const ACTS: Readonly<Record<string, Act>> = {
  '/': (app) => app.search.focus(),
  l: layers,
  L: layers,
  f: fullScreen,
  F: fullScreen,
  p: tilt,
  P: tilt,
  t: timeline,
  T: timeline,
  m: toggleMeasure,
  M: toggleMeasure,
  w: wall,
  W: wall,
  s: toggleSelect,
  S: toggleSelect,
  j: (app) => app.go.stepEvent(1),
  J: (app) => app.go.stepEvent(1),
  k: (app) => app.go.stepEvent(-1),
  K: (app) => app.go.stepEvent(-1),
  g: (app) => app.setGridNumbers(!app.gridNumbers),
  G: (app) => app.setGridNumbers(!app.gridNumbers),
  d: dispatch,
  c: charts,
  C: charts,
  '0': (app) => app.go.home(),
  '+': zoomIn,
  '=': zoomIn,
  '-': zoomOut,
  _: zoomOut,
  'Shift+D': (app) => app.setTheme(app.theme === 'dark' ? 'light' : 'dark'),
  b: table,
  B: table,
  '?': (app) => {
    app.dialog = app.dialog === 'help' ? null : 'help';
  },
  ArrowLeft: (app) => app.map?.panBy(-STEP, 0),
  ArrowRight: (app) => app.map?.panBy(STEP, 0),
  ArrowUp: (app) => app.map?.panBy(0, -STEP),
  ArrowDown: (app) => app.map?.panBy(0, STEP),
};

function closeTop(app: App): void {
  if (app.dialog) app.dialog = null;
  else if (app.measuring) app.measuring = false;
  else if (app.select.open && !app.selection) app.select.open = false;
  else if (app.selection || app.choice) app.close();
  else if (app.wall.on) app.wall.leave();
  else if (app.layersOpen && (app.layout === 'narrow' || app.layout === 'sheet')) app.setLayersOpen(false);
}

export async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen();
}

export function isTyping(target: HTMLElement): boolean {
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    isTextInput(target) ||
    target.isContentEditable
  );
}

function isTextInput(target: HTMLElement): boolean {
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type);
}
