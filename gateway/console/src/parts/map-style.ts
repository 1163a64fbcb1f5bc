// How the map looks. Tiles are the integrator's own, where there are any, and no glyphs are asked of anybody: labels are drawn with the
// system's fonts.
import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { Theme } from '../state/address';
import { t } from '../words';
import { baseLayers, baseSources } from './base-layers';

const FONT = ['Noto Sans CJK SC', 'sans-serif'];
/** What MapLibre says by itself. */
export function mapWords(title: string): Record<string, string> {
  return { 'Map.Title': title, 'NavigationControl.ZoomIn': t('map.zoomIn'), 'NavigationControl.ZoomOut': t('map.zoomOut') };
}

const CLUSTER_PX = 46;
/** Sources are clustered up to here; beyond, each is itself. */
const CLUSTER_ZOOM_MAX = 14;
const TEXT_PX = 12;

const COLOURS = {
  dark: { ground: '#10161d', fence: '#79c0ff', text: '#e6edf3', officer: '#c9a7ff', source: '#7b8b9a', well: '#4d8fbf', unwell: '#ff8fb1', red: '#ff6b61', yellow: '#e3b341', green: '#3fb96b', off: '#7b8b9a', ink: '#10161d' },
  light: { ground: '#f3f5f7', fence: '#0b5cad', text: '#17202a', officer: '#6b3fb8', source: '#66737f', well: '#2f78a8', unwell: '#b3124f', red: '#c0271d', yellow: '#8a5a00', green: '#15703a', off: '#66737f', ink: '#ffffff' },
};

export function clusterLayers(source: string): string {
  return `${source}-cluster`;
}

export function styleOf(theme: Theme): StyleSpecification {
  const colour = COLOURS[theme];
  const empty = { type: 'FeatureCollection' as const, features: [] };
  const byLamp = ['match', ['get', 'lamp'], 'red', colour.red, 'yellow', colour.yellow, 'green', colour.green, colour.off];
  // Of a cluster the worst lamp of those within it.
  const byWorst = ['case', ['>', ['get', 'red'], 0], colour.red, ['>', ['get', 'yellow'], 0], colour.yellow, ['>', ['get', 'green'], 0], colour.green, colour.off];
  const nOf = (lamp: string) => ['+', ['case', ['==', ['get', 'lamp'], lamp], 1, 0]];
  const byStanding = ['match', ['get', 'standing'], 'well', colour.well, 'unwell', colour.unwell, colour.source];
  // Of a cluster of sources how many are unwell: one that hides them says so by its rim.
  const anyUnwell = ['case', ['>', ['get', 'unwell'], 0], colour.unwell, ['>', ['get', 'well'], 0], colour.well, colour.source];
  const nStanding = (standing: string) => ['+', ['case', ['==', ['get', 'standing'], standing], 1, 0]];
  const isCluster = ['has', 'point_count'];
  const bySize = ['step', ['get', 'point_count'], 11, 10, 14, 100, 18, 1000, 23];
  const count = (id: string, text: string) => ({
    id: `${id}-count`, type: 'symbol', source: id, filter: isCluster,
    layout: { 'text-field': ['get', 'point_count_abbreviated'], 'text-font': FONT, 'text-size': TEXT_PX, 'text-allow-overlap': true }, paint: { 'text-color': text },
  });
  const layers = [
    { id: 'ground', type: 'background', paint: { 'background-color': colour.ground } },
    ...baseLayers(theme),
    { id: 'fences-fill', type: 'fill', source: 'fences', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': colour.fence, 'fill-opacity': 0.1 } },
    { id: 'fences-line', type: 'line', source: 'fences', paint: { 'line-color': colour.fence, 'line-width': 1.5 } },
    { id: 'fences-name', type: 'symbol', source: 'fences', layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': TEXT_PX }, paint: { 'text-color': colour.fence, 'text-halo-color': colour.ground, 'text-halo-width': 1.5 } },
    { id: 'sources-cluster', type: 'circle', source: 'sources', filter: isCluster, paint: { 'circle-color': colour.source, 'circle-opacity': 0.4, 'circle-radius': bySize, 'circle-stroke-color': anyUnwell, 'circle-stroke-width': 2 } },
    count('sources', colour.text),
    { id: 'sources-one', type: 'circle', source: 'sources', filter: ['!', isCluster], paint: { 'circle-color': byStanding, 'circle-radius': ['match', ['get', 'standing'], 'unwell', 5.5, 4], 'circle-stroke-color': colour.ground, 'circle-stroke-width': 1 } },
    { id: 'sources-name', type: 'symbol', source: 'sources', minzoom: CLUSTER_ZOOM_MAX - 1, filter: ['!', isCluster], layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 11, 'text-offset': [0, 1], 'text-anchor': 'top' }, paint: { 'text-color': colour.text, 'text-halo-color': colour.ground, 'text-halo-width': 1.5 } },
    { id: 'chosen-ground', type: 'fill', source: 'chosen', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': colour.text, 'fill-opacity': 0.18, 'fill-outline-color': colour.text } },
    { id: 'tickets-cluster', type: 'circle', source: 'tickets', filter: isCluster, paint: { 'circle-color': byWorst, 'circle-radius': bySize, 'circle-stroke-color': colour.ground, 'circle-stroke-width': 2 } },
    count('tickets', colour.ink),
    { id: 'tickets-one', type: 'circle', source: 'tickets', filter: ['!', isCluster], paint: { 'circle-color': byLamp, 'circle-radius': ['+', 6, ['get', 'level']], 'circle-stroke-color': colour.ground, 'circle-stroke-width': 2 } },
    // A shape of their own; a hollow one where the position is old.
    { id: 'officers-one', type: 'symbol', source: 'officers', layout: { 'text-field': ['case', ['get', 'old'], '◇', '◆'], 'text-font': FONT, 'text-size': 20, 'text-allow-overlap': true, 'text-ignore-placement': true }, paint: { 'text-color': colour.officer, 'text-halo-color': colour.ground, 'text-halo-width': 1.5 } },
    { id: 'officers-name', type: 'symbol', source: 'officers', layout: { 'text-field': ['get', 'text'], 'text-font': FONT, 'text-size': TEXT_PX, 'text-offset': [0, 0.9], 'text-anchor': 'top' }, paint: { 'text-color': colour.officer, 'text-halo-color': colour.ground, 'text-halo-width': 1.5 } },
    { id: 'chosen-one', type: 'circle', source: 'chosen', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': byLamp, 'circle-radius': ['+', 7, ['get', 'level']], 'circle-stroke-color': colour.text, 'circle-stroke-width': 3 } },
  ];
  return {
    version: 8,
    sources: {
      ...baseSources(),
      fences: { type: 'geojson', data: empty },
      sources: { type: 'geojson', data: empty, cluster: true, clusterRadius: CLUSTER_PX, clusterMaxZoom: CLUSTER_ZOOM_MAX, clusterProperties: { well: nStanding('well'), unwell: nStanding('unwell') } },
      tickets: {
        type: 'geojson', data: empty, cluster: true, clusterRadius: CLUSTER_PX, clusterMaxZoom: CLUSTER_ZOOM_MAX,
        clusterProperties: { red: nOf('red'), yellow: nOf('yellow'), green: nOf('green') },
      },
      officers: { type: 'geojson', data: empty },
      chosen: { type: 'geojson', data: empty },
    },
    // The specification's own types are unions that inference does not reach through helpers.
    layers: layers as LayerSpecification[],
  };
}
