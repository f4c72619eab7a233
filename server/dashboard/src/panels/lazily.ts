import type { App } from '../state/app.svelte.ts';

/** A part of the page that comes when it is first asked for; where it does not come, that is said. */
export function lazily<T>(app: App, part: Promise<T>): Promise<T> {
  part.catch(() => {
    app.dialog = null;
    app.select.open = false;
    app.toasts.show({
      tone: 'bad',
      text: app.t('state.failed'),
      action: { label: app.t('state.retry'), act: () => location.reload() },
    });
  });
  return part;
}
