import type { App } from '../state/app.svelte.ts';

/** What the reader is called: the post, else why there is none. */
export function postOf(app: App): string {
  const session = app.reader.session;
  if (session?.post) return session.post;
  return session?.classes.includes('internal') ? app.t('person.local') : app.t('person.public');
}
