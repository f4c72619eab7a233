import type { Code, Field, Value } from '../api/types.ts';
import { type Key, type Language, titleIn, translate } from '../i18n/index.ts';

/** A count: `1,314`; from a hundred thousand up short, `12.3 万` or `123k`. */
export function count(n: number, language: Language): string {
  if (n < 100_000) return n.toLocaleString('en-US');
  if (language === 'en')
    return new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }).format(n);
  const [scale, unit] = n < 100_000_000 ? [10_000, '万'] : [100_000_000, '亿'];
  return `${(n / scale).toLocaleString('en-US', { maximumFractionDigits: 1 })} ${unit}`;
}

/** `2026-05-06 14:30` in the reader's time zone; the words of the server where it is no instant. */
export function instant(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** A length on the ground: `80 m`, `1.2 km`. */
export function length(metres: number): string {
  return metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(metres < 10_000 ? 2 : 1)} km`;
}

/** Ground: `350 m²`, `4.8 公顷`. */
export function area(squareMetres: number, language: Language): string {
  if (squareMetres < 10_000) return `${Math.round(squareMetres).toLocaleString('en-US')} m²`;
  if (squareMetres < 1_000_000)
    return `${(squareMetres / 10_000).toFixed(1)} ${language === 'zh' ? '公顷' : 'ha'}`;
  return `${(squareMetres / 1_000_000).toFixed(2)} km²`;
}

/** The title of a code; the code itself where the list does not know it. */
export function codeTitle(codes: readonly Code[], value: string, language: Language): string {
  const code = codes.find((c) => c.value === value);
  return code ? titleIn(code.title, language) : value;
}

/** A field's value as a person reads it, and its unit apart. */
export function fieldValue(field: Field, value: Value, language: Language): { text: string; unit: string } {
  const unit = field.unit ? unitOf(field.unit, language) : '';
  if (value === null || value === '') return { text: translate(language, 'value.none'), unit: '' };
  if (field.codes) return { text: codeTitle(field.codes, String(value), language), unit: '' };
  switch (field.type) {
    case 'boolean':
      return { text: translate(language, value ? 'value.yes' : 'value.no'), unit: '' };
    case 'datetime':
      return { text: instant(String(value)), unit: '' };
    case 'integer':
    case 'number':
      return { text: field.unit === 'year' ? String(value) : decimal(Number(value)), unit };
    case 'date':
    case 'text':
    case 'code':
      return { text: String(value), unit };
  }
}

function decimal(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

const UNITS: Record<string, Key> = {
  m: 'unit.m',
  m2: 'unit.m2',
  deg: 'unit.deg',
  s: 'unit.s',
  min: 'unit.min',
  'km/h': 'unit.km/h',
  households: 'unit.households',
  persons: 'unit.persons',
  floors: 'unit.floors',
  days: 'unit.days',
  year: 'unit.year',
  count: 'unit.count',
};

function unitOf(unit: string, language: Language): string {
  const key = UNITS[unit];
  return key ? translate(language, key) : unit;
}
