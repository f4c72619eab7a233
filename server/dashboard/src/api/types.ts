/** What the server answers; shapes of docs/dashboard.md, field names as on the wire. */

export interface Title {
  readonly zh: string;
  readonly en: string;
}

export type Geometry = 'Point' | 'LineString' | 'Polygon' | 'MultiLineString' | 'MultiPolygon';
export type Bounds = readonly [west: number, south: number, east: number, north: number];
export type LngLat = readonly [lng: number, lat: number];
export type Value = string | number | boolean | null;

export interface Code {
  readonly value: string;
  readonly title: Title;
}

export interface Field {
  readonly name: string;
  readonly type: 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'datetime' | 'code';
  readonly title: Title;
  readonly unit: string | null;
  readonly codes: readonly Code[] | null;
}

export interface Layer {
  readonly name: string;
  readonly group: string;
  readonly title: Title;
  readonly description: Title;
  readonly geometry: Geometry;
  readonly class: 'public' | 'internal' | 'restricted';
  readonly allowed: boolean;
  readonly min_zoom: number;
  readonly max_zoom: number;
  readonly label: string | null;
  readonly time: string | null;
  readonly key: string;
  readonly fields: readonly Field[];
  readonly n_features: number | null;
  readonly bounds: Bounds | null;
}

export interface Group {
  readonly name: string;
  readonly title: Title;
}

export interface Catalog {
  readonly demo: boolean;
  readonly bounds: Bounds | null;
  readonly groups: readonly Group[];
  readonly layers: readonly Layer[];
}

export interface Count {
  readonly n: number;
  readonly exact: boolean;
  /** How many of each class (the field the legend divides by), where the server knows. */
  readonly classes?: Readonly<Record<string, number>> | null;
}

export interface Counts {
  readonly counts: Readonly<Record<string, Count>>;
}

export interface Feature {
  readonly layer: string;
  readonly fid: number;
  readonly title: string | null;
  readonly properties: Readonly<Record<string, Value>>;
  readonly bounds: Bounds | null;
  readonly point: LngLat | null;
}

/** Who the server takes the reader for. */
export interface Session {
  readonly post: string | null;
  readonly classes: readonly string[];
  readonly areas: readonly string[] | null;
  /** What the reader may do: dispatch, export, positions. */
  readonly may: readonly string[];
}

export interface Area {
  readonly area_code: string;
  readonly name: string;
  readonly level: string;
  readonly parent_code: string | null;
  readonly households: number | null;
  readonly persons: number | null;
  readonly bounds: Bounds;
}

export interface Grid {
  readonly grid_code: string;
  readonly grid_no: string | null;
  readonly name: string | null;
  readonly households: number | null;
  readonly persons: number | null;
  readonly in_band: boolean | null;
  readonly vacant: boolean;
  readonly bounds: Bounds;
}

export type Level = 1 | 2 | 3 | 4;

/** One event of the list; times are ISO 8601 with an offset. */
export interface EventItem {
  readonly fid: number;
  readonly event_no: string;
  readonly title: string;
  readonly kind: string;
  readonly level: number;
  readonly state: string;
  readonly place: string | null;
  readonly grid_code: string | null;
  readonly reported_at: string;
  readonly deadline_at: string | null;
  readonly closed_at: string | null;
  readonly overdue: boolean | null;
  readonly lon: number;
  readonly lat: number;
}

export interface EventCounts {
  readonly n: number;
  readonly n_open: number;
  readonly n_overdue: number;
  readonly by_level: readonly [number, number, number, number];
}

export interface EventPage {
  readonly counts: EventCounts;
  readonly events: readonly EventItem[];
  readonly next: string | null;
}

export interface EventStep {
  readonly seq: number;
  readonly action: string;
  readonly to_state: string;
  readonly actor_post: string | null;
  readonly note: string | null;
  readonly at: string;
}

export interface EventDetail extends EventItem {
  readonly history: readonly EventStep[];
}

export interface Histogram {
  readonly since: string;
  readonly until: string;
  readonly n_bins: number;
  readonly bins: readonly { readonly bin: number; readonly level: number; readonly n: number }[];
}

/** An indicator: its value with what it is made of. `value` of a rate is 0..1. */
export interface Kpi {
  readonly name: string;
  readonly title: Title;
  readonly shape: 'count' | 'rate' | 'minutes' | 'score';
  readonly formula: Title;
  readonly layer: string;
  readonly allowed: boolean;
  readonly window_days: number | null;
  readonly numerator: number | null;
  readonly denominator: number | null;
  readonly value: number | null;
  readonly previous: number | null;
  readonly missing: Title | null;
  readonly calculated_at: string;
}

export interface Kpis {
  readonly calculated_at: string;
  readonly area: string | null;
  readonly kpis: readonly Kpi[];
}
