import { COMPUTED_MS, get, send } from './client.ts';
import type { Bounds, EventItem, Feature, LngLat, Title } from './types.ts';

/** Finding, reading and acting on the map: what the server answers, field names as on the wire. */

export interface HeatCell {
  readonly h3: string;
  /** Null where fewer than five. */
  readonly n: number | null;
  readonly ring: readonly LngLat[];
}

export interface Heat {
  readonly resolution: number;
  readonly edge_m: number;
  readonly breaks: readonly number[];
  readonly cells: readonly HeatCell[];
}

export interface SearchHit {
  readonly layer: string;
  readonly fid: number;
  readonly title: string;
  readonly sub: string | null;
  /** Where the question stands in the title: [from, to) in characters. */
  readonly match: readonly (readonly [from: number, to: number])[];
  readonly point: LngLat;
  readonly bounds: Bounds;
}

export interface SearchGroup {
  readonly kind: string;
  readonly title: Title;
  readonly hits: readonly SearchHit[];
}

export interface SearchAnswer {
  readonly q: string;
  readonly groups: readonly SearchGroup[];
}

export interface Reached {
  readonly category: string;
  readonly fid: number;
  readonly title: string;
  readonly metres: number;
  readonly seconds: number;
  readonly method: string;
}

export interface Verdict {
  readonly unit: 'households' | 'persons';
  readonly value: number | null;
  readonly in_band: boolean | null;
}

export interface BandOf {
  readonly unit: 'households' | 'persons';
  readonly min: number;
  readonly target: number | null;
  readonly max: number;
}

export interface GridRule {
  readonly title: Title;
  readonly document: string;
  readonly logic: 'any' | 'all';
  readonly bands: readonly BandOf[];
  readonly verdicts: readonly Verdict[];
  readonly in_band: boolean | null;
}

export interface GridMore {
  readonly kind: 'grid';
  readonly rule: GridRule | null;
  readonly per_day: readonly { readonly day: string; readonly n: number; readonly n_open: number }[];
  readonly patrol: { readonly n: number; readonly of: number; readonly days: number } | null;
  readonly visits: { readonly due: number; readonly overdue: number } | null;
  readonly plan_document: string | null;
  readonly n_buildings: number | null;
  readonly area_m2: number;
  readonly n_informants: number | null;
  readonly n_management_points: number | null;
  readonly n_cameras: number | null;
  readonly n_open: number | null;
  readonly facilities: readonly Reached[] | null;
  /** Layers whose part is missing because the reader may not see them. */
  readonly not_allowed: readonly string[];
}

export interface BuildingMore {
  readonly kind: 'building';
  readonly estate: { readonly fid: number; readonly name: string | null } | null;
  readonly grid: {
    readonly fid: number;
    readonly grid_code: string;
    readonly grid_no: string | null;
    readonly name: string | null;
    readonly officer_post: string | null;
    readonly officer_phone: string | null;
    readonly vacant: boolean;
  } | null;
  readonly cameras_100m: readonly {
    readonly fid: number;
    readonly title: string;
    readonly metres: number;
    readonly sees: boolean;
  }[];
  readonly open_events: readonly {
    readonly fid: number;
    readonly event_no: string;
    readonly title: string;
    readonly level: number;
    readonly state: string;
    readonly overdue: boolean | null;
  }[];
  readonly facilities: readonly Reached[];
  /** Layers whose part is empty because the reader may not see them. */
  readonly not_allowed: readonly string[];
}

export interface CameraMore {
  readonly kind: 'camera';
  readonly ground_m2: number | null;
  readonly sees_buildings: number | null;
  readonly ring: readonly LngLat[];
  readonly age_years: number | null;
}

/** What an estate or an area holds. */
export interface GroundMore {
  readonly kind: 'ground';
  readonly n_buildings: number | null;
  readonly households: number | null;
  readonly persons: number | null;
  readonly n_grids: number | null;
  readonly n_open: number | null;
}

export interface PointMore {
  readonly kind: 'point';
  readonly visits: {
    readonly last_visit_at: string | null;
    readonly due_days: number | null;
    readonly next_at: string | null;
    readonly overdue: boolean | null;
  } | null;
}

export type More = BuildingMore | GridMore | CameraMore | GroundMore | PointMore;

/** A card in one round trip: `more` by layer. */
export interface CardAnswer extends Feature {
  readonly more: More | null;
}

export type StatsBy = 'day' | 'week' | 'hour' | 'kind' | 'level' | 'state' | 'area' | 'source';

export interface StatsRow {
  readonly key: string;
  readonly title: Title | null;
  readonly n: number;
  readonly n_open: number;
  readonly n_closed: number;
  readonly n_overdue: number;
  readonly on_time_share: number | null;
}

export interface Stats {
  readonly by: StatsBy;
  readonly since: string;
  readonly until: string;
  readonly rows: readonly StatsRow[];
}

export interface Series {
  readonly name: string;
  readonly points: readonly {
    readonly day: string;
    readonly value: number | null;
    readonly numerator: number | null;
    readonly denominator: number | null;
  }[];
}

export interface Candidate {
  readonly id: string;
  readonly post: string;
  readonly role: string;
  readonly seconds: number;
  readonly metres: number;
  readonly method: string;
  readonly reason: string;
  readonly reason_code: string;
  /** All that holds, what counts most first. */
  readonly reason_codes: readonly string[];
  readonly n_tasks: number;
  readonly position_at: string | null;
  readonly route: readonly LngLat[];
}

export interface Skipped {
  readonly id: string;
  readonly post: string;
  readonly reason: string;
  readonly reason_code: string;
}

export interface Nearest {
  readonly mode: string;
  readonly candidates: readonly Candidate[];
  /** The first of those passed over; all of them are counted by reason. */
  readonly skipped: readonly Skipped[];
  readonly n_skipped: Readonly<Record<string, number>>;
  readonly assumptions: readonly string[];
}

export interface Dispatched {
  readonly event: EventItem;
  readonly action_seq: number;
  readonly undo_until: string;
}

export const reading = {
  heat: (query: URLSearchParams, signal: AbortSignal): Promise<Heat> =>
    get(`/api/events/heat?${query}`, signal),
  search: (q: string, near: LngLat | null, signal: AbortSignal): Promise<SearchAnswer> => {
    const query = new URLSearchParams({ q });
    if (near) query.set('near', near.map((x) => x.toFixed(6)).join(','));
    return get(`/api/search?${query}`, signal);
  },
  card: (layer: string, fid: number, signal: AbortSignal): Promise<CardAnswer> =>
    get(`/api/cards/${encodeURIComponent(layer)}/${fid}`, signal),
  stats: (query: URLSearchParams, signal: AbortSignal): Promise<Stats> =>
    get(`/api/stats/events?${query}`, signal),
  series: (name: string, area: string | null, signal: AbortSignal): Promise<Series> =>
    get(`/api/kpis/${encodeURIComponent(name)}/series?days=30${area ? `&area=${area}` : ''}`, signal),
  responders: (eventNo: string, signal: AbortSignal): Promise<Nearest> =>
    get(`/api/events/${encodeURIComponent(eventNo)}/responders?k=5`, signal, COMPUTED_MS),
  dispatch: (eventNo: string, responderId: string, clientId: string): Promise<Dispatched> =>
    send('POST', `/api/events/${encodeURIComponent(eventNo)}/dispatch`, {
      responder_id: responderId,
      client_id: clientId,
    }),
  undispatch: (eventNo: string, actionSeq: number): Promise<unknown> =>
    send('DELETE', `/api/events/${encodeURIComponent(eventNo)}/dispatch/${actionSeq}`),
};
