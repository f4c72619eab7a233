import type { Feature, Layer } from '../api/types.ts';
import { type Language, titleIn, translate } from '../i18n/index.ts';
import { codeTitle, fieldValue } from './format.ts';

export interface CardRow {
  readonly name: string;
  readonly label: string;
  readonly text: string;
  readonly unit: string;
}

export interface CardBadge {
  readonly text: string;
  readonly tone: 'plain' | 'accent' | 'band' | 'bad' | 'level-1' | 'level-2' | 'level-3' | 'level-4';
}

export interface Card {
  readonly title: string;
  readonly code: string;
  readonly badges: readonly CardBadge[];
  /** The large numbers: households and persons, where the layer counts them. */
  readonly figures: readonly CardRow[];
  readonly rows: readonly CardRow[];
}

/** A feature's card, made of the catalogue's fields: titles and codes in the reader's language, units apart. */
export function cardOf(
  feature: Feature,
  layer: Layer,
  language: Language,
  without: readonly string[] = [],
): Card {
  const shown = layer.fields.filter((field) => isKnown(feature.properties[field.name]));
  const code = feature.properties[layer.key];
  const title = titleOf(feature, code);
  const badges = badgesOf(feature, layer, language);
  const row = (field: (typeof shown)[number]): CardRow => ({
    name: field.name,
    label: titleIn(field.title, language),
    ...fieldValue(field, feature.properties[field.name] ?? null, language),
  });
  const inHead = new Set([layer.key, layer.label, ...FIGURES, ...IN_BADGES, ...without]);
  if (feature.properties.name === title) inHead.add('name');
  return {
    title,
    code: isKnown(code) ? String(code) : '',
    badges,
    figures: shown.filter((field) => FIGURES.has(field.name) && !without.includes(field.name)).map(row),
    rows: shown.filter((field) => !inHead.has(field.name)).map(row),
  };
}

/** The server's title; a bare number (grid 10) gives way to the name. */
function titleOf(feature: Feature, code: unknown): string {
  const name = feature.properties.name;
  if (typeof name === 'string' && name !== '' && /^\d+$/.test(feature.title ?? '')) return name;
  return feature.title || String(code ?? feature.fid);
}

const FIGURES: ReadonlySet<string> = new Set(['households', 'persons']);
const IN_BADGES: ReadonlySet<string> = new Set(['level', 'overdue', 'vacant', 'in_band', 'is_open']);

/** What is said beside the title: an event's level and lateness, a grid's verdict, a vacancy. */
function badgesOf(feature: Feature, layer: Layer, language: Language): readonly CardBadge[] {
  const value = feature.properties;
  const badges: CardBadge[] = [];
  const level = layer.fields.find((f) => f.name === 'level');
  if (level?.codes && isKnown(value.level)) {
    badges.push({
      text: codeTitle(level.codes, String(value.level), language),
      tone: toneOf(layer, value.level),
    });
  }
  if (value.overdue === true) badges.push({ text: translate(language, 'card.overdue'), tone: 'bad' });
  if (value.in_band === true) badges.push({ text: translate(language, 'card.inBand'), tone: 'accent' });
  if (value.in_band === false) badges.push({ text: translate(language, 'card.outOfBand'), tone: 'band' });
  if (value.vacant === true) badges.push({ text: translate(language, 'card.vacant'), tone: 'plain' });
  if (value.is_open === true) badges.push({ text: translate(language, 'card.open'), tone: 'plain' });
  if (value.is_open === false) badges.push({ text: translate(language, 'card.closed'), tone: 'plain' });
  return badges;
}

function toneOf(layer: Layer, level: unknown): CardBadge['tone'] {
  if (layer.group !== 'events') return 'plain';
  switch (level) {
    case 1:
      return 'level-1';
    case 2:
      return 'level-2';
    case 3:
      return 'level-3';
    case 4:
      return 'level-4';
    default:
      return 'plain';
  }
}

function isKnown(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '';
}
