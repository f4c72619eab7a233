import type { App } from './app.svelte.ts';
import { valueIn } from './loadable.ts';
import { type DispatchEvents, UNDO_MS } from './responders.svelte.ts';

/** States in which somebody has the event already (domain.md section 5). */
const TAKEN: ReadonlySet<string> = new Set([
  'dispatched',
  'self_handled',
  'processing',
  'feedback',
  'extended',
  'suspended',
]);

/** Why the reader may not send anyone; null where nothing is in the way. */
export function dispatchBarred(app: App): string | null {
  if (!app.reader.session?.may.includes('dispatch')) return app.t('near.denied');
  const state = valueIn(app.card)?.properties.state;
  return typeof state === 'string' && TAKEN.has(state) ? app.t('near.taken') : null;
}

/** What the page says and asks anew when someone was sent. */
export function dispatchEvents(app: App): DispatchEvents {
  const changed = (): void => {
    app.reloadCard();
    void app.events.refresh();
    void app.loadKpis();
  };
  return {
    sent: (who, undo) => {
      const action = { label: app.t('near.undo'), act: undo };
      app.toasts.show({ text: app.t('near.sent', { post: who.post }), action }, UNDO_MS);
      changed();
    },
    undone: (who) => {
      app.toasts.show({ text: app.t('near.undone', { post: who.post }) });
      changed();
    },
    refused: (why) => {
      const reason = why.detail ?? app.t('state.number', { n: why.status ?? 0 });
      app.toasts.show({ text: app.t('near.refused', { why: reason }), tone: 'bad' });
      changed();
    },
  };
}
