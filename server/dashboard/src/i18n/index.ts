import type { Title } from '../api/types.ts';
import { en } from './en.ts';
import { type Key, zh } from './zh.ts';

export type { Key } from './zh.ts';
export type Language = 'zh' | 'en';

const WORDS: Record<Language, Record<Key, string>> = { zh, en };

/** The sentence for a key, its `{holes}` filled. */
export function translate(language: Language, key: Key, holes: Record<string, string | number> = {}): string {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(holes[name] ?? ''));
}

/** A title of the catalogue in one language. */
export function titleIn(title: Title, language: Language): string {
  switch (language) {
    case 'zh':
      return title.zh;
    case 'en':
      return title.en;
  }
}
