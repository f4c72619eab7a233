import workerUrl from 'virtual:map-worker';
import type { FeatureCollection, Feature as GeoFeature, Geometry as Geometry_ } from 'geojson';
import {
  type ExpressionSpecification,
  type FilterSpecification,
  GeoJSONSource,
  type MapGeoJSONFeature,
  type Map as MapLibre,
  type PointLike,
  prewarm,
  type StyleSpecification,
  setWorkerUrl,
} from 'maplibre-gl';
import type { Bounds, Geometry, Layer, LngLat, Value } from '../api/types.ts';
import { type Change, changes } from '../layers/dress.ts';
import { EVENTS } from '../layers/events.ts';
import { ownerOf, sourceFor } from '../layers/legend.ts';
import type { Hit } from '../layers/pick.ts';
import type { Selection, View } from '../state/address.ts';
import type { Padding } from '../state/layout.ts';
import { absolute } from './absolute.ts';
import { boundsOf, fly, jump, type Opening, openMap, viewOf } from './camera.ts';
import type { Drawing } from './draw.ts';
import { waitForFonts } from './fonts.ts';
import { Overlays } from './overlays.ts';
import { pulse } from './pulse.ts';
import { HIGHLIGHT_PREFIX, SELECTION_PREFIX, type SelectionColours, selectionLayers } from './selection.ts';
import { SKETCH, sketchData, sketchLayers } from './sketch.ts';

setWorkerUrl(workerUrl);
// The workers read their code while the page still asks for catalogue and style.
prewarm();

/** How far from a click a thing may be drawn and still be meant, px. */
const REACH: Record<Geometry, number> = {
  Point: 8,
  LineString: 3,
  MultiLineString: 3,
  Polygon: 0,
  MultiPolygon: 0,
};

/** How long no more of a list must come before it is drawn, ms. */
const REST_MS = 1500;

/** A paint property and its value; the pure core has made sure that they belong together. */
type PaintArguments = ['line-opacity', ExpressionSpecification];

export interface MapEvents {
  /** The map stands still: what it shows now. */
  readonly settled: (view: View, bounds: Bounds) => void;
  readonly moved: (view: View) => void;
  readonly clicked: (hits: readonly Hit[], at: LngLat, pixel: readonly [x: number, y: number]) => void;
  readonly doubleClicked: () => void;
  /** The pointer's place, or null when it leaves. */
  readonly pointed: (at: LngLat | null) => void;
  /** A tile, sprite or font did not come. */
  readonly failed: (message: string) => void;
  /** Something moves or is on its way. */
  readonly busy: () => void;
  /** The map is whole for the first time. */
  readonly complete: () => void;
  /** Everything that is in view is drawn, and stands still. */
  readonly drawn: () => void;
}

export interface MapStart extends Opening {
  readonly style: StyleSpecification;
  readonly layers: readonly Layer[];
}

/** The one place that holds MapLibre's map. The rest of the page speaks to it in views, styles and hits. */
export class MapView {
  readonly #map: MapLibre;
  /** What lies over the style: heat, routes, a camera's ground. */
  readonly overlays: Overlays;
  readonly #layers: ReadonlyMap<string, Layer>;
  /** No flights: the reader asked for less motion. */
  readonly #still: boolean;
  #style: StyleSpecification;
  #selection: { selection: Selection; colours: SelectionColours } | null = null;
  #highlight: Selection | null = null;
  #padding: Padding;
  #added: GeoFeature[] = [];
  #addTimer: ReturnType<typeof setTimeout> | undefined;
  #picking = true;
  #drawing: Drawing | null = null;
  #sketch: { places: readonly LngLat[]; closed: boolean } = { places: [], closed: false };
  #colours: SelectionColours = { accent: '#08716a', text: '#15202a', halo: '#ffffff' };

  constructor(start: MapStart, events: MapEvents) {
    this.#style = absolute(start.style);
    this.#layers = new Map(start.layers.map((layer) => [layer.name, layer]));
    this.#still = start.still;
    this.#padding = start.padding;
    this.#map = openMap(start, this.#style);
    this.overlays = new Overlays(this.#map);
    this.#map.once('load', () => this.overlays.restore());
    waitForFonts(this.#map);
    this.#listen(events);
  }

  #listen(events: MapEvents): void {
    const map = this.#map;
    map.on('load', () => {
      events.complete();
      events.settled(this.view, this.bounds);
    });
    map.on('move', () => events.moved(this.view));
    map.on('moveend', () => events.settled(this.view, this.bounds));
    map.on('click', (e) => {
      const { x, y } = e.point;
      events.clicked(this.#picking ? this.#hits(x, y) : [], [e.lngLat.lng, e.lngLat.lat], [x, y]);
    });
    map.on('dblclick', (e) => {
      if (this.#picking) return;
      e.preventDefault();
      events.doubleClicked();
    });
    map.on('mousemove', (e) => events.pointed([e.lngLat.lng, e.lngLat.lat]));
    map.on('mouseout', () => events.pointed(null));
    map.on('error', (e) => events.failed(e.error?.message ?? String(e)));
    map.on('movestart', () => events.busy());
    map.on('dataloading', () => events.busy());
    map.on('idle', () => events.drawn());
  }

  get view(): View {
    return viewOf(this.#map);
  }

  get bounds(): Bounds {
    return boundsOf(this.#map);
  }

  /** The part of the map that no panel covers: its middle, and its size in CSS px. */
  get uncovered(): { lng: number; lat: number; width: number; height: number } {
    const { clientWidth: w, clientHeight: h } = this.#map.getContainer();
    const { top, right, bottom, left } = this.#padding;
    const [width, height] = [Math.max(1, w - left - right), Math.max(1, h - top - bottom)];
    const { lng, lat } = this.#map.unproject([left + width / 2, top + height / 2]);
    return { lng, lat, width, height };
  }

  get canvas(): HTMLCanvasElement {
    return this.#map.getCanvas();
  }

  /** Shows the same layers otherwise (switched, filtered, faded): only what changed is told to the map. */
  restyle(style: StyleSpecification): void {
    const next = absolute(style);
    for (const change of changes(this.#style, next)) this.#apply(change);
    this.#style = next;
  }

  /** Another style altogether: theme or language changed. */
  replace(style: StyleSpecification): void {
    this.#forgetAdded();
    this.#style = absolute(style);
    this.#drawing?.pause();
    this.#map.setStyle(this.#style, { diff: true });
    this.#mark();
    this.#draw();
    this.overlays.restore();
    this.#drawing?.resume();
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case 'visibility':
        this.#map.setLayoutProperty(change.layer, 'visibility', change.visible ? 'visible' : 'none');
        break;
      case 'filter':
        this.#map.setFilter(change.layer, change.filter as FilterSpecification | null);
        break;
      case 'paint':
        this.#map.setPaintProperty(
          change.layer,
          ...([change.property, change.value] as unknown as PaintArguments),
        );
        break;
    }
  }

  /** Marks what a card points at, as long as it does. */
  highlight(selection: Selection | null): void {
    this.#highlight = selection;
    this.#mark();
  }

  /** Marks one feature, or none. */
  select(selection: Selection | null, colours: SelectionColours): void {
    this.#colours = colours;
    this.#selection = selection ? { selection, colours } : null;
    this.#mark();
  }

  #mark(): void {
    const map = this.#map;
    if (!map.isStyleLoaded() && !map.style._loaded) {
      map.once('styledata', () => this.#mark());
      return;
    }
    for (const id of map.getLayersOrder())
      if (id.startsWith(SELECTION_PREFIX) || id.startsWith(HIGHLIGHT_PREFIX)) map.removeLayer(id);
    if (this.#selection) this.#markAs(this.#selection.selection, this.#selection.colours, SELECTION_PREFIX);
    if (this.#highlight) this.#markAs(this.#highlight, this.#colours, HIGHLIGHT_PREFIX);
  }

  #markAs(selection: Selection, colours: SelectionColours, prefix: string): void {
    const map = this.#map;
    const layer = this.#layers.get(selection.layer);
    const name = layer ? sourceFor(this.#style.layers, layer.name) : null;
    const source = name === null ? undefined : map.getSource(name);
    if (!layer || !source) return;
    const tiled = source.type === 'vector';
    for (const marking of selectionLayers(layer, selection, colours, source.id, tiled, prefix)) {
      const before = `slot:${marking.slot}`;
      map.addLayer(marking.layer, map.getLayer(before) ? before : undefined);
    }
  }

  /** Draws another list of events. */
  setEvents(drawn: FeatureCollection): void {
    this.#forgetAdded();
    const source = this.#map.getSource(EVENTS);
    if (source instanceof GeoJSONSource) void source.setData(drawn);
  }

  /** Draws more of the list that is drawn, once no more comes for a moment: a list is scrolled without a stutter. */
  addEvents(more: FeatureCollection): void {
    this.#added.push(...more.features);
    clearTimeout(this.#addTimer);
    this.#addTimer = setTimeout(() => {
      const source = this.#map.getSource(EVENTS);
      if (source instanceof GeoJSONSource) void source.updateData({ add: this.#added });
      this.#added = [];
    }, REST_MS);
  }

  #forgetAdded(): void {
    clearTimeout(this.#addTimer);
    this.#added = [];
  }

  /** Draws what is being measured: a line or a surface through the places. */
  sketch(places: readonly LngLat[], closed: boolean): void {
    this.#sketch = { places, closed };
    this.#draw();
  }

  #draw(): void {
    const map = this.#map;
    const data = sketchData(this.#sketch.places, this.#sketch.closed);
    const source = map.getSource(SKETCH);
    if (source instanceof GeoJSONSource) {
      void source.setData(data);
      return;
    }
    if (this.#sketch.places.length === 0 || !map.style._loaded) return;
    map.addSource(SKETCH, { type: 'geojson', data });
    for (const layer of sketchLayers(this.#colours)) map.addLayer(layer);
  }

  /** A tool that draws one surface; what it needs comes when it is first asked for. */
  async drawing(colour: string, drawn: (ring: readonly LngLat[]) => void): Promise<Drawing> {
    const { Drawing: Tool } = await import('./draw.ts');
    this.endDrawing();
    this.#drawing = new Tool(this.#map, colour, drawn);
    return this.#drawing;
  }

  endDrawing(): void {
    this.#drawing?.stop();
    this.#drawing = null;
  }

  /** Asks anew for the tiles of layers that were written. */
  refreshTiles(layers: Iterable<string>): void {
    const sources = new Set([...layers].map((layer) => sourceFor(this.#style.layers, layer)));
    for (const source of sources)
      if (source !== null && this.#map.getSource(source)?.type === 'vector') this.#map.refreshTiles(source);
  }

  /** Rings about a new event; none where the reader asked for less motion. */
  pulse(at: LngLat, times: number, level: number): void {
    if (!this.#still) pulse(this.#map, at, times, level);
  }

  setPadding(padding: Padding): void {
    this.#padding = padding;
  }

  /** While something is drawn by clicks, clicks open no cards. */
  setPicking(picking: boolean): void {
    this.#picking = picking;
    this.#map.getCanvas().style.cursor = picking ? '' : 'crosshair';
  }

  resize(): void {
    this.#map.resize();
  }

  jump(view: View): void {
    jump(this.#map, view);
  }

  goTo(target: { bounds: Bounds; maxZoom: number }): void {
    fly(this.#map, target.bounds, target.maxZoom, this.#padding, this.#still);
  }

  /** Brings a place out from under the panels, without zooming; nothing moves when it is in sight. */
  reveal(at: LngLat): void {
    const { x, y } = this.#map.project([at[0], at[1]]);
    const { clientWidth: w, clientHeight: h } = this.#map.getContainer();
    const p = this.#padding;
    const dx = x < p.left ? x - p.left - 24 : x > w - p.right ? x - (w - p.right) + 24 : 0;
    const dy = y < p.top ? y - p.top - 24 : y > h - p.bottom ? y - (h - p.bottom) + 24 : 0;
    if (dx !== 0 || dy !== 0) this.#map.panBy([dx, dy], { duration: this.#still ? 0 : 200 });
  }

  zoomBy(steps: number, around?: LngLat): void {
    const duration = this.#still ? 0 : 200;
    this.#map.easeTo({
      zoom: this.#map.getZoom() + steps,
      duration,
      ...(around ? { around: { lng: around[0], lat: around[1] } as never } : {}),
    });
  }

  panBy(dx: number, dy: number): void {
    this.#map.panBy([dx, dy], { duration: this.#still ? 0 : 120 });
  }

  north(): void {
    this.#map.easeTo({ bearing: 0, pitch: 0, duration: this.#still ? 0 : 200 });
  }

  tilt(): void {
    this.#map.easeTo({ pitch: this.#map.getPitch() > 5 ? 0 : 45, duration: this.#still ? 0 : 300 });
  }

  /** What of a layer is drawn on screen, each feature once; of points those whose place itself is on it. */
  inView(layer: string): readonly Hit[] {
    const ids = this.#ids((owner) => owner.name === layer);
    const seen = new Set<unknown>();
    const [west, south, east, north] = this.bounds;
    const here = ({ geometry }: MapGeoJSONFeature): boolean => {
      if (geometry.type !== 'Point') return true;
      const [lng = 0, lat = 0] = geometry.coordinates;
      return lng >= west && lng <= east && lat >= south && lat <= north;
    };
    return this.#map
      .queryRenderedFeatures(undefined, { layers: ids })
      .filter((feature) => feature.id !== undefined && here(feature))
      .filter((feature) => !seen.has(feature.id) && seen.add(feature.id))
      .map((feature) => hitOf(feature, 0, [0, 0]));
  }

  #hits(x: number, y: number): readonly Hit[] {
    const found: Hit[] = [];
    for (const reach of [8, 3, 0]) {
      const layers = this.#ids((owner) => REACH[owner.geometry] === reach);
      const box: PointLike | [PointLike, PointLike] =
        reach === 0
          ? [x, y]
          : [
              [x - reach, y - reach],
              [x + reach, y + reach],
            ];
      for (const feature of this.#map.queryRenderedFeatures(box, { layers })) {
        const at =
          feature.geometry.type === 'Point' ? (feature.geometry.coordinates as [number, number]) : null;
        const there = at ? this.#map.project(at) : { x, y };
        const click = this.#map.unproject([x, y]);
        found.push(hitOf(feature, Math.hypot(there.x - x, there.y - y), at ?? [click.lng, click.lat]));
      }
    }
    return found;
  }

  /** Ids of the visible style layers whose catalogue layer passes. */
  #ids(passes: (owner: Layer) => boolean): string[] {
    return this.#style.layers
      .filter((layer) => {
        const owner = this.#layers.get(ownerOf(layer) ?? '');
        return owner !== undefined && passes(owner) && layer.layout?.visibility !== 'none';
      })
      .map((layer) => layer.id);
  }

  destroy(): void {
    this.#forgetAdded();
    this.#map.remove();
  }
}

function hitOf(feature: MapGeoJSONFeature, distance: number, at: LngLat): Hit {
  const metadata = feature.layer.metadata as Record<string, unknown> | undefined;
  return {
    layer: String(metadata?.['onemap:layer'] ?? feature.sourceLayer ?? ''),
    fid: typeof feature.id === 'number' ? feature.id : null,
    properties: feature.properties as Record<string, Value>,
    distance,
    at,
    size: sizeOf(feature.geometry),
  };
}

/** Square degrees of the box about a geometry. */
function sizeOf(geometry: Geometry_): number {
  if (geometry.type === 'GeometryCollection' || geometry.type === 'Point') return 0;
  const numbers = geometry.coordinates.flat(3) as number[];
  const span = (of: number): number => {
    const found = numbers.filter((_, i) => i % 2 === of);
    return found.reduce((a, b) => Math.max(a, b), -180) - found.reduce((a, b) => Math.min(a, b), 180);
  };
  return span(0) * span(1);
}
