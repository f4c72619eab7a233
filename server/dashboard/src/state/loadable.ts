import { Failure } from '../api/client.ts';

/** Something that comes from the server: on its way, here, or not coming. */
export type Loadable<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly failure: Failure };

export const LOADING = { state: 'loading' } as const;

export function ready<T>(value: T): Loadable<T> {
  return { state: 'ready', value };
}

/** A failure to show. Anything that is no `Failure` is a bug of ours and is thrown on. */
export function failed(error: unknown): { readonly state: 'failed'; readonly failure: Failure } {
  if (error instanceof Failure) return { state: 'failed', failure: error };
  throw error;
}

export function valueIn<T>(loadable: Loadable<T>): T | null {
  return loadable.state === 'ready' ? loadable.value : null;
}
