import { remember, rememberedText } from './remember.ts';

const KEY = 'kpis';

/** Which indicators the reader wants in the strip, kept in the browser; null as they come. */
export class KpiChoice {
  names = $state.raw<readonly string[] | null>(kept());

  set(names: readonly string[] | null): void {
    this.names = names;
    remember(KEY, names?.join(' ') ?? '');
  }
}

function kept(): readonly string[] | null {
  const names = rememberedText(KEY)?.split(' ').filter(Boolean) ?? [];
  return names.length > 0 ? names : null;
}
