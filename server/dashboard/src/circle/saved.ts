/** Trials kept in this browser, and nowhere else: the server knows no life circle scenarios. */
export interface Saved {
  readonly name: string;
  /** The query of the page's address, which is the whole trial. */
  readonly search: string;
  /** When, ISO 8601. */
  readonly at: string;
}

const KEY = 'onemap.circle.saved';
const MOST = 50;

export function savedTrials(store: Storage | null = storage()): readonly Saved[] {
  try {
    const told: unknown = JSON.parse(store?.getItem(KEY) ?? '[]');
    return Array.isArray(told) ? told.filter(isSaved) : [];
  } catch {
    return [];
  }
}

/** Keeps a trial under a name, in place of one of that name. False where the browser keeps nothing. */
export function keepTrial(trial: Saved, store: Storage | null = storage()): boolean {
  const others = savedTrials(store).filter((other) => other.name !== trial.name);
  return write([trial, ...others].slice(0, MOST), store);
}

export function dropTrial(name: string, store: Storage | null = storage()): boolean {
  return write(
    savedTrials(store).filter((other) => other.name !== name),
    store,
  );
}

function write(trials: readonly Saved[], store: Storage | null): boolean {
  try {
    store?.setItem(KEY, JSON.stringify(trials));
    return store !== null;
  } catch (error) {
    console.info('The browser keeps no trials.', error);
    return false;
  }
}

function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function isSaved(told: unknown): told is Saved {
  if (typeof told !== 'object' || told === null) return false;
  const { name, search, at } = told as Record<string, unknown>;
  return typeof name === 'string' && typeof search === 'string' && typeof at === 'string';
}
