import type { Catalog, Layer } from '../api/types.ts';

/** What of the map the reader wants to see; part of the address, so that a colleague sees the same. */
export interface Look {
  readonly on: ReadonlySet<string>;
  /** `layer:value` of classes switched off inside a layer that is on. */
  readonly hidden: ReadonlySet<string>;
  /** Layer -> 0..1; a layer that is not here is drawn as the style says. */
  readonly opacity: ReadonlyMap<string, number>;
}

/** Analyses are switched like layers; each needs a layer that the reader may see. */
const ANALYSES: ReadonlyMap<string, string> = new Map([['event_heat', 'events']]);

/** Dense or special layers start switched off; the tree shows them and one click brings them. */
const STARTS_OFF: ReadonlySet<string> = new Set([
  'cameras',
  'patrol_points',
  'facilities',
  'management_points',
  'department_grids',
]);

export function firstLook(catalog: Catalog): Look {
  const on = catalog.layers.filter((l) => l.allowed && !STARTS_OFF.has(l.name)).map((l) => l.name);
  return { on: new Set(on), hidden: new Set(), opacity: new Map() };
}

export function sameLook(a: Look, b: Look): boolean {
  return encodeLook(a).join() === encodeLook(b).join();
}

/** Switches one layer. */
export function withLayer(look: Look, name: string, on: boolean): Look {
  return { ...look, on: changed(look.on, name, on) };
}

/** Switches all layers of a group that the reader may see. */
export function withGroup(look: Look, layers: readonly Layer[], on: boolean): Look {
  const names = layers.filter((l) => l.allowed).map((l) => l.name);
  return { ...look, on: names.reduce((set, name) => changed(set, name, on), look.on) };
}

/** Switches one class of a layer. */
export function withClass(look: Look, name: string, value: string, on: boolean): Look {
  return { ...look, hidden: changed(look.hidden, `${name}:${value}`, !on) };
}

export function withOpacity(look: Look, name: string, opacity: number): Look {
  const next = new Map(look.opacity);
  if (opacity >= 1) next.delete(name);
  else next.set(name, Math.max(0, opacity));
  return { ...look, opacity: next };
}

/** Only this layer, on the ground that lets one find one's way: the base group stays. */
export function onlyThis(look: Look, catalog: Catalog, name: string): Look {
  const ground = new Set(catalog.layers.filter((l) => l.group === 'base').map((l) => l.name));
  const on = [...look.on].filter((other) => ground.has(other));
  return { ...look, on: new Set([...on, name]) };
}

/** The look as three words of the address. */
export function encodeLook(look: Look): [on: string, hidden: string, opacity: string] {
  const faded = [...look.opacity]
    .sort(([a], [b]) => compare(a, b))
    .map(([name, o]) => `${name}:${Math.round(o * 100)}`);
  return [[...look.on].sort(compare).join('.'), [...look.hidden].sort(compare).join('.'), faded.join('.')];
}

/** The look of an address; layers the catalogue does not hold are left out. */
export function decodeLook(catalog: Catalog, on: string, hidden: string, opacity: string): Look {
  const allowed = new Set(catalog.layers.filter((l) => l.allowed).map((l) => l.name));
  for (const [name, needed] of ANALYSES) if (allowed.has(needed)) allowed.add(name);
  const words = (text: string): string[] => text.split('.').filter(Boolean);
  const faded = words(opacity).map((word): [string, number] => {
    const [name = '', percent = ''] = word.split(':');
    return [name, Number(percent) / 100];
  });
  return {
    on: new Set(words(on).filter((name) => allowed.has(name))),
    hidden: new Set(words(hidden).filter((word) => allowed.has(word.split(':')[0] ?? ''))),
    opacity: new Map(faded.filter(([name, o]) => allowed.has(name) && o >= 0 && o < 1)),
  };
}

function changed(set: ReadonlySet<string>, name: string, present: boolean): ReadonlySet<string> {
  const next = new Set(set);
  if (present) next.add(name);
  else next.delete(name);
  return next;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
