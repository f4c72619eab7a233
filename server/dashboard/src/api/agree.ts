import type * as circle from '../circle/types.ts';
import type * as reading from './reading.ts';
import type { components } from './schema.d.ts';
import type * as ours from './types.ts';

/**
 * The types of types.ts say more than OpenAPI can (literal words, tuples), so they are written by hand; here the compiler
 * makes sure that every field they name is one that the server's own document names.
 */
type Server = components['schemas'];
type Named<Ours, Theirs> =
  Exclude<keyof Ours, keyof Theirs> extends never ? true : Exclude<keyof Ours, keyof Theirs>;
type Agreed<T extends true> = T;

export type Agreement = [
  Agreed<Named<ours.Catalog, Server['CatalogOut']>>,
  Agreed<Named<ours.Layer, Server['LayerOut']>>,
  Agreed<Named<ours.Field, Server['FieldOut']>>,
  Agreed<Named<ours.Feature, Server['CardOut']>>,
  Agreed<Named<ours.Session, Server['SessionOut']>>,
  Agreed<Named<ours.Area, Server['AreaOut']>>,
  Agreed<Named<ours.Grid, Server['GridOut']>>,
  Agreed<Named<ours.EventItem, Server['EventOut']>>,
  Agreed<Named<ours.EventCounts, Server['EventCountsOut']>>,
  Agreed<Named<ours.EventPage, Server['EventPageOut']>>,
  Agreed<Named<ours.EventStep, Server['ActionOut']>>,
  Agreed<Named<ours.EventDetail, Server['EventDetailOut']>>,
  Agreed<Named<ours.Histogram, Server['HistogramOut']>>,
  Agreed<Named<ours.Kpi, Server['KpiOut']>>,
  Agreed<Named<ours.Kpis, Server['KpisOut']>>,
  Agreed<Named<reading.Heat, Server['HeatOut']>>,
  Agreed<Named<reading.HeatCell, Server['CellOut']>>,
  Agreed<Named<reading.SearchAnswer, Server['SearchOut']>>,
  Agreed<Named<reading.CardAnswer, Server['FullCardOut']>>,
  Agreed<Named<reading.GridMore, Server['GridMoreOut']>>,
  Agreed<Named<reading.BuildingMore, Server['BuildingMoreOut']>>,
  Agreed<Named<reading.CameraMore, Server['CameraMoreOut']>>,
  Agreed<Named<reading.GroundMore, Server['GroundMoreOut']>>,
  Agreed<Named<reading.PointMore, Server['PointMoreOut']>>,
  Agreed<Named<reading.Stats, Server['StatsOut']>>,
  Agreed<Named<reading.StatsRow, Server['StatsRowOut']>>,
  Agreed<Named<reading.Series, Server['SeriesOut']>>,
  Agreed<Named<reading.Candidate, Server['CandidateOut']>>,
  Agreed<Named<reading.Nearest, Server['NearestOut']>>,
  Agreed<Named<reading.Dispatched, Server['DispatchOut']>>,
  Agreed<Named<circle.CategoryCover, Server['CategoryCoverageOut']>>,
  Agreed<Named<circle.Coverage, Server['CoverageOut']>>,
  Agreed<Named<circle.Facility, Server['FacilityPoint']>>,
  Agreed<Named<circle.Columns, Server['BuildingColumns']>>,
  Agreed<Named<circle.Row, Server['ZoneCoverage']>>,
  Agreed<Named<circle.ByZone, Server['CategoryByZoneOut']>>,
  Agreed<Named<circle.Totals, Server['State']>>,
  Agreed<Named<circle.Gap, Server['Gap']>>,
  Agreed<Named<circle.Weight, Server['People']>>,
  Agreed<Named<circle.WhatIf, Server['WhatIfOut']>>,
  Agreed<Named<circle.Site, Server['Site']>>,
  Agreed<Named<circle.Siting, Server['SitesOut']>>,
  Agreed<Named<circle.Side, Server['Side']>>,
  Agreed<Named<circle.Duel, Server['DuelOut']>>,
];
