// How the integrator's own map looks under all that matters: quiet, so that lamps and fences stand out. Loaded once, when the first
// map is shown; what it is made of only where there is one.
import { addProtocol, type LayerSpecification, type SourceSpecification } from 'maplibre-gl';
import type { Theme } from '../state/address';
import { get } from '../api';
import type { Base } from '../state/base-map';
import type { BaseMap } from '../types';

const PROTOCOL = 'outpost-tiles';
const SOURCE = 'base';
const FONT = ['Noto Sans CJK SC', 'sans-serif'];

const PICTURES = {
  dark: { 'raster-brightness-max': 0.55, 'raster-saturation': -0.6, 'raster-contrast': -0.1, 'raster-fade-duration': 0 },
  light: { 'raster-saturation': -0.35, 'raster-opacity': 0.85, 'raster-fade-duration': 0 },
};
const COLOURS = {
  dark: { land: '#151c24', green: '#16231f', water: '#17293a', road: '#3a4652', house: '#1f2832', line: '#3a4652', text: '#8b98a5', halo: '#10161d' },
  light: { land: '#eef1f3', green: '#e1ebe0', water: '#cfdfec', road: '#c3ccd4', house: '#dfe4e8', line: '#b4bec8', text: '#5a6774', halo: '#f3f5f7' },
};
/** By the names that layers have with Protomaps and with OpenMapTiles, from the ground up; what has another name is drawn in thin lines. */
const LOOKS: [names: string[], kind: 'fill' | 'line' | 'symbol', colour: keyof (typeof COLOURS)['dark'], width?: number][] = [
  [['earth'], 'fill', 'land'],
  [['landcover', 'landuse', 'park', 'natural'], 'fill', 'green'],
  [['water', 'ocean'], 'fill', 'water'],
  [['waterway', 'physical_line'], 'line', 'water', 1.2],
  [['buildings', 'building'], 'fill', 'house'],
  [['roads', 'transportation', 'transit'], 'line', 'road', 1.4],
  [['boundaries', 'boundary'], 'line', 'line', 1],
  [['places', 'place'], 'symbol', 'text'],
];
/** They would be drawn over all, and say what the rest does. */
const LEFT_OUT = ['pois', 'poi', 'housenumber', 'mountain_peak', 'aerodrome_label', 'water_name', 'transportation_name', 'physical_point'];

let base: Base | null = null;
let asked: Promise<void> | undefined;

async function load(): Promise<void> {
  const said = await get<{ map: BaseMap | null }>('/map').catch(() => null);
  if (!said?.map) return;
  const { open } = await import('../state/base-map');
  base = await open(said.map).catch(() => null);
  const blank = new OffscreenCanvas(1, 1);
  blank.getContext('2d');
  addProtocol(PROTOCOL, async ({ url }, { signal }) => {
    const [z, x, y] = url.slice(`${PROTOCOL}://`.length).split('/').map(Number);
    const tile = await base?.tile(z!, x!, y!, signal);
    if (tile) return { data: tile };
    return { data: base?.kind === 'vectors' ? new ArrayBuffer(0) : await createImageBitmap(blank) };
  });
}

/** Before the first style is made. */
export function baseIsKnown(): Promise<void> {
  asked ??= load();
  return asked;
}

export function baseSources(): Record<string, SourceSpecification> {
  if (!base) return {};
  const { attribution, kind, zoomMin: minzoom, zoomMax: maxzoom } = base;
  const tiles = [`${PROTOCOL}://{z}/{x}/{y}`];
  // The control that shows it reads HTML.
  const said = attribution.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return { [SOURCE]: kind === 'vectors' ? { type: 'vector', tiles, minzoom, maxzoom, attribution: said } : { type: 'raster', tiles, tileSize: 256, minzoom, maxzoom, attribution: said } };
}

export function baseLayers(theme: Theme): LayerSpecification[] {
  if (!base) return [];
  if (base.kind === 'pictures') return [{ id: SOURCE, type: 'raster', source: SOURCE, paint: PICTURES[theme] }];
  const colours = COLOURS[theme];
  const known = LOOKS.flatMap(([names, kind, colour, width]) => names.filter(name => base!.layers.includes(name)).map(name => {
    const of = { id: `${SOURCE}-${name}`, source: SOURCE, 'source-layer': name };
    if (kind === 'fill') return { ...of, type: kind, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': colours[colour] } };
    if (kind === 'line') return { ...of, type: kind, paint: { 'line-color': colours[colour], 'line-width': width } };
    const layout = { 'text-field': ['coalesce', ['get', 'name:zh-Hans'], ['get', 'name:zh'], ['get', 'name']], 'text-font': FONT, 'text-size': 12 };
    return { ...of, type: kind, layout, paint: { 'text-color': colours.text, 'text-halo-color': colours.halo, 'text-halo-width': 1.2 } };
  }));
  const named = [...LOOKS.flatMap(([names]) => names), ...LEFT_OUT];
  const others = base.layers.filter(name => !named.includes(name)).map(name =>
    ({ id: `${SOURCE}-${name}`, type: 'line', source: SOURCE, 'source-layer': name, paint: { 'line-color': colours.line, 'line-width': 0.8 } }));
  // The specification's own types are unions that inference does not reach through helpers.
  return [...known, ...others] as LayerSpecification[];
}

/** Whether somebody has to be named on the map. */
export function hasAttribution(): boolean {
  return Boolean(base?.attribution);
}
