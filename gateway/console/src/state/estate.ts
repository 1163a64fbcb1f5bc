// What an integrator writes, as text: elements of the configuration, fences as GeoJSON. Nothing here knows of a page.
import type { Feature, LineString, Point, Polygon } from 'geojson';
import type { Severity } from '../types';

export type Drawn = Feature<Polygon | LineString | Point>;
export const SHAPES = ['polygon', 'circle', 'line'] as const;
export type Shape = (typeof SHAPES)[number];
export const FENCE_RULES = ['enter', 'exit', 'inside', 'cross'] as const;
export type FenceRule = (typeof FENCE_RULES)[number];

/** A text as TOML writes it between quotes. */
export function quoted(text: string): string {
  const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  const escaped = text.replace(/[\\"\u0000-\u001f\u007f]/g, sign => escapes[sign] ?? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `"${escaped}"`;
}

export interface FenceRuleOf {
  id: string;
  kind: FenceRule;
  fence: string;
  sources: string;
  severity: Severity;
}

/** A rule about what moves at a fence; the sources are patterns with spaces or commas between them. */
export function ruleText({ id, kind, fence, sources, severity }: FenceRuleOf): string {
  const patterns = sources.split(/[\s,]+/).filter(Boolean).map(quoted).join(', ');
  return `[[rules]]\nid = ${quoted(id)}\nsources = [${patterns}]\ndetect = { kind = "${kind}", fence = ${quoted(fence)} }\nseverity = "${severity}"\n`;
}

/** Kinds of rules that are about a shape: what crosses a line, or enters an area. */
export function rulesOf(shape: Shape): readonly FenceRule[] {
  return shape === 'line' ? ['cross'] : ['enter', 'exit', 'inside'];
}

const DIGITS = 6;
const rounded = (n: number) => Number(n.toFixed(DIGITS));

/** One corner a line, longitude first: for who does not draw with a pointer. */
export function cornersText(corners: number[][]): string {
  return corners.map(([lon, lat]) => `${rounded(lon!)} ${rounded(lat!)}`).join('\n');
}

/** The corners of such a text, or the number of the first line that is none, from 1. */
export function parseCorners(text: string): { corners: [number, number][] } | { wrong: number } {
  const corners: [number, number][] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (!line.trim()) continue;
    const [lon, lat, ...more] = line.trim().split(/[\s,;]+/).map(Number);
    const isPlace = lon !== undefined && lat !== undefined && more.length === 0 && Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
    if (!isPlace) return { wrong: i + 1 };
    corners.push([lon, lat]);
  }
  return { corners };
}

export interface FenceOf {
  id: string;
  name: string;
  shape: Shape;
  /** A circle has one, its middle. */
  corners: [number, number][];
  radiusM: number;
}

/** The fence as the gateway reads it; null while it has too few corners. */
export function fenceFeature({ id, name, shape, corners, radiusM }: FenceOf): Drawn | null {
  const properties = { name: name || id };
  if (shape === 'circle') {
    const [middle] = corners;
    return middle && radiusM > 0 ? { type: 'Feature', id, properties: { ...properties, radius_m: radiusM }, geometry: { type: 'Point', coordinates: middle } } : null;
  }
  if (shape === 'line') return corners.length < 2 ? null : { type: 'Feature', id, properties, geometry: { type: 'LineString', coordinates: corners } };
  return corners.length < 3 ? null : { type: 'Feature', id, properties, geometry: { type: 'Polygon', coordinates: [[...corners, corners[0]!]] } };
}

/** What is edited of a fence that is there; null where it is of a shape that is not drawn here. */
export function fenceOf(feature: Feature): FenceOf | null {
  const { geometry, properties } = feature;
  const known = { id: String(properties?.id ?? feature.id ?? ''), name: String(properties?.name ?? ''), radiusM: Number(properties?.radius_m ?? 0) };
  const flat = (positions: number[][]) => positions.map(([lon, lat]) => [lon!, lat!] as [number, number]);
  if (geometry.type === 'Point' && known.radiusM > 0) return { ...known, shape: 'circle', corners: flat([geometry.coordinates]) };
  if (geometry.type === 'LineString' && properties?.width_m === undefined) return { ...known, shape: 'line', corners: flat(geometry.coordinates) };
  if (geometry.type === 'Polygon' && geometry.coordinates.length === 1) return { ...known, shape: 'polygon', corners: flat(geometry.coordinates[0]!.slice(0, -1)) };
  return null;
}

/** A zone or a line that was drawn on a camera's picture, at the end of the camera's element. */
export function withZone(camera: string, kind: 'zones' | 'lines', id: string, points: [number, number][]): string {
  const key = kind === 'zones' ? 'polygon' : 'points';
  const text = points.map(([x, y]) => `[${x.toFixed(4)}, ${y.toFixed(4)}]`).join(', ');
  return `${camera.trimEnd()}\n\n[[cameras.${kind}]]\nid = ${quoted(id)}\n${key} = [${text}]\n`;
}

/** The line of a table that begins at `row`, from 1, under the names of the columns: lines in between belong to it. */
export function lineOf(table: string, rows: number[], row: number): string {
  const lines = table.split('\n');
  const first = Math.min(...rows);
  const next = Math.min(lines.length + 1, ...rows.filter(other => other > row));
  return [...lines.slice(0, first - 1), ...lines.slice(row - 1, next - 1)].join('\n');
}

/** A table of one line, with the names of its columns. */
export function tableOf(line: Record<string, string>): string {
  const cells = (texts: string[]) => texts.map(text => `"${text.replaceAll('"', '""')}"`).join(',');
  return `${Object.keys(line).join(',')}\n${cells(Object.values(line))}\n`;
}
