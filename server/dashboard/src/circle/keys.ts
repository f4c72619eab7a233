import { isTyping } from '../state/keys.ts';
import type { Circle } from './circle.svelte.ts';

/** What a key does on this page. Keys sleep in inputs and in windows that lie over the page. */
export function onKey(event: KeyboardEvent, circle: Circle): void {
  const target = event.target instanceof HTMLElement ? event.target : null;
  if (event.defaultPrevented || (target && (isTyping(target) || target.closest('dialog')))) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'z') {
    event.preventDefault();
    circle.trial.undo();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  switch (event.key) {
    case 'Escape':
      circle.dismiss();
      break;
    case '/':
      event.preventDefault();
      circle.search.focus();
      break;
    case 'D':
      if (event.shiftKey) circle.setTheme(circle.theme === 'dark' ? 'light' : 'dark');
      break;
    case '0':
      circle.goHome();
      break;
    case '+':
    case '=':
    case '-':
    case '_':
      // The map's canvas has these keys itself when it has the focus.
      if (!target?.classList.contains('maplibregl-canvas'))
        circle.map?.zoomBy(event.key === '+' || event.key === '=' ? 1 : -1);
      break;
  }
}
