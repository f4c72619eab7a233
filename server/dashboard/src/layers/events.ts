import type { FeatureCollection, Feature as GeoFeature } from 'geojson';
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Bounds, Count, EventItem } from '../api/types.ts';

/** The layer and source of events. */
export const EVENTS = 'events';

/** Points are joined below this zoom, as in the tiles. */
const CLUSTER_BELOW = 13;

/**
 * The style with events drawn from the list instead of from tiles: what is listed is what is drawn, whatever the
 * filter. The style's own layers stay; clusters carry the names that they read.
 */
export function withListedEvents(style: StyleSpecification, drawn: FeatureCollection): StyleSpecification {
  if (!style.sources[EVENTS]) return style;
  return {
    ...style,
    sources: {
      ...style.sources,
      [EVENTS]: {
        type: 'geojson',
        data: drawn,
        cluster: true,
        clusterMaxZoom: CLUSTER_BELOW - 1,
        clusterRadius: 36,
        clusterProperties: { max_level: ['max', ['get', 'level']] },
      },
    },
    layers: style.layers.map(withoutSourceLayer),
  };
}

function withoutSourceLayer(layer: LayerSpecification): LayerSpecification {
  if (!('source' in layer) || layer.source !== EVENTS) return layer;
  const { 'source-layer': _, ...rest } = layer as LayerSpecification & { 'source-layer'?: string };
  return rest as LayerSpecification;
}

/** Listed events as the map draws them, urgent last so that they lie on top. */
export function drawnEvents(events: readonly EventItem[]): FeatureCollection {
  const features = events.map(
    (event): GeoFeature => ({
      type: 'Feature',
      id: event.fid,
      geometry: { type: 'Point', coordinates: [event.lon, event.lat] },
      properties: {
        event_no: event.event_no,
        title: event.title,
        kind: event.kind,
        level: event.level,
        state: event.state,
        overdue: event.overdue ?? false,
        is_open: event.closed_at === null,
      },
    }),
  );
  return { type: 'FeatureCollection', features: features.reverse() };
}

/** How many of the listed events lie in view, by level: the tree's number is the map's number. */
export function countInView(events: readonly EventItem[], complete: boolean, view: Bounds): Count {
  const [west, south, east, north] = view;
  const inside = events.filter((e) => e.lon >= west && e.lon <= east && e.lat >= south && e.lat <= north);
  const classes: Record<string, number> = {};
  for (const event of inside) classes[event.level] = (classes[event.level] ?? 0) + 1;
  return { n: inside.length, exact: complete, classes };
}
