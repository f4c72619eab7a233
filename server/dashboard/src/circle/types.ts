import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import type { LngLat, Title } from '../api/types.ts';

/** What the life circle's endpoints answer; field names as on the wire. Seconds, metres, shares 0..1. */

export type Weigh = 'households' | 'persons';
export type By = 'building' | 'grid' | 'h3';

export interface CategoryCover {
  readonly category: string;
  readonly title: Title;
  readonly group: string;
  readonly group_title: Title;
  readonly limit_m: number | null;
  readonly limit_s: number;
  readonly document: string;
  readonly verified: boolean;
  readonly note: Title | null;
  readonly n_facilities: number;
  readonly households_covered: number | null;
  readonly persons_covered: number | null;
  readonly share: number | null;
  readonly persons_share: number | null;
  readonly straight_share: number | null;
  readonly mean_s: number | null;
  /** The server's sentence where there is nothing to count. */
  readonly problem: string | null;
}

export interface Coverage {
  readonly area: string;
  readonly households: number | null;
  readonly persons: number | null;
  readonly document: string;
  readonly note: Title | null;
  readonly assumptions: readonly Title[];
  readonly network: { readonly components: number; readonly n_unsnapped: number };
  readonly categories: readonly CategoryCover[];
}

export interface Facility {
  readonly fid: number;
  readonly title: string;
  readonly point: LngLat;
  /** Whether a street is near enough; without, nobody can be said to walk there. */
  readonly on_network: boolean;
}

/** Residential buildings in columns: a thing of many rows. */
export interface Columns {
  readonly fid: readonly number[];
  readonly seconds: readonly (number | null)[];
  readonly metres: readonly (number | null)[];
  readonly households: readonly number[];
  readonly persons: readonly number[];
}

export interface Row {
  readonly key: string;
  readonly fid: number | null;
  readonly title: string | null;
  readonly n_buildings: number;
  readonly households: number | null;
  readonly persons: number | null;
  readonly households_covered: number | null;
  readonly share: number | null;
  readonly mean_s: number | null;
  readonly worst_s: number | null;
  readonly ring: readonly LngLat[] | null;
}

/** One category by building (`buildings`) or by zone (`rows`). */
export interface ByZone {
  readonly category: string;
  readonly by: string;
  readonly limit_s: number;
  readonly rows: readonly Row[];
  readonly buildings: Columns | null;
  readonly facilities: readonly Facility[];
}

/** One thing that a trial changes. `label` is ours: the letter on the map. */
export type Change =
  | { readonly op: 'add'; readonly point: LngLat; readonly label: string }
  | { readonly op: 'move'; readonly fid: number; readonly point: LngLat }
  | { readonly op: 'close'; readonly fid: number }
  | { readonly op: 'gate'; readonly point: LngLat }
  | { readonly op: 'bridge'; readonly line: readonly [LngLat, LngLat] };

export interface Totals {
  readonly households_covered: number | null;
  readonly persons_covered: number | null;
  readonly share: number | null;
  readonly mean_s: number | null;
}

/** An estate with homes that are not covered; without a title, homes outside every estate. */
export interface Gap {
  readonly fid: number | null;
  readonly title: string | null;
  readonly households: number | null;
  readonly persons: number | null;
  readonly worst_s: number | null;
}

export interface Weight {
  readonly households: number | null;
  readonly persons: number | null;
}

export type Shed = FeatureCollection<
  Polygon | MultiPolygon,
  {
    readonly minutes: number;
    readonly area_m2: number;
    readonly shed_ratio: number | null;
    readonly households: number | null;
    readonly persons: number | null;
  }
>;

export interface WhatIf {
  readonly households: number;
  readonly persons: number;
  readonly before: Totals;
  readonly after: Totals;
  readonly changed: { readonly fid: readonly number[]; readonly seconds: readonly (number | null)[] };
  readonly gained: Weight;
  readonly lost: Weight;
  readonly uncovered: Weight;
  readonly gaps: readonly Gap[];
  readonly isochrones: Shed | null;
  readonly assumptions: readonly Title[];
  readonly ms: number;
}

export type Model = 'mclp' | 'pmedian' | 'lscp';

/** One place; `gain` when it joins those before it, `alone` were it the only new one. */
export interface Site {
  readonly label: string;
  readonly point: LngLat;
  readonly title: string;
  readonly gain_households: number;
  readonly gain_persons: number;
  readonly alone_households: number;
  readonly alone_persons: number;
}

/** `sites` are chosen together; `alternatives` are the best others, each by itself. */
export interface Siting {
  readonly sites: readonly Site[];
  readonly alternatives: readonly Site[];
  readonly objective: number;
  readonly bound: number;
  readonly gap: number;
  readonly method: string;
  readonly n_candidates: number;
  readonly seconds: number;
  readonly objective_is: Title;
  readonly problems: readonly Title[];
}

export interface Side {
  readonly title: string;
  readonly gain_households: number;
  readonly gain_persons: number;
  readonly share: number | null;
  readonly mean_s: number | null;
  readonly nearer_households: number;
}

/** Two places for one new facility, head to head. */
export interface Duel {
  readonly a: Side;
  readonly b: Side;
  readonly both: Weight;
  readonly only_a: Weight;
  readonly only_b: Weight;
  readonly better: 'a' | 'b' | 'same';
  readonly sentence: Title;
}
