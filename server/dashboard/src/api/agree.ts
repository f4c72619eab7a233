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
];
