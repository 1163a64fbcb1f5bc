// What the map draws: places as GeoJSON, whole, so that nothing here knows of a map.
import type { Feature, FeatureCollection, Point, Polygon } from 'geojson';
import type { ClassTicket, Fences, Lamp, Source, Ticket } from '../types';
import { lampOf } from './clock';
import { type Standing, standingOf } from './health';
import type { Officer } from './officers';

export interface TicketPoint {
  no: number;
  lamp: Lamp;
  /** 0 minor … 3 extreme. */
  level: number;
}

const LEVELS = ['minor', 'moderate', 'severe', 'extreme'];
const EARTH_M = 6_371_008.8;
const ELLIPSE_POINTS = 48;

function point<P>(lon: number, lat: number, properties: P): Feature<Point, P> {
  return { type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties };
}

export function collection<F extends Feature>(features: F[]): FeatureCollection {
  return { type: 'FeatureCollection', features };
}

export function ticketPoints(tickets: Ticket[], atMs: number): Feature<Point, TicketPoint>[] {
  return tickets.flatMap(ticket => {
    const { lon, lat } = ticket.place;
    if (lon === null || lat === null) return [];
    return [point(lon, lat, { no: ticket.no, lamp: lampOf(ticket, atMs), level: LEVELS.indexOf(ticket.severity) })];
  });
}

/** Where a source is: where it said last that it is, or else where the configuration says that it stands. */
export function whereIs(source: Source): { lon: number; lat: number } | null {
  const { last } = source;
  if (last !== null && typeof last === 'object' && 'lon' in last) return last;
  return source.place;
}

export function sourcePoints(sources: Source[]): Feature<Point, { id: string; name: string; standing: Standing }>[] {
  return sources.flatMap(source => {
    const place = whereIs(source);
    return place ? [point(place.lon, place.lat, { id: source.id, name: source.name || source.id, standing: standingOf(source) })] : [];
  });
}

/** Positions that are older are drawn as what was. */
const OLD_MS = 300_000;

/** Officers by name and by how old their position is, `span` says how. */
export function officerPoints(officers: Officer[], span: (ms: number) => string): Feature<Point, { id: string; text: string; old: boolean }>[] {
  return officers.flatMap(({ id, name, position }) => {
    if (!position) return [];
    const text = `${name || id} · ${span(position.age_ms)}`;
    return [point(position.lon, position.lat, { id, text, old: position.age_ms > OLD_MS })];
  });
}

/** Tickets of a class case, as points without a clock. */
export function membersDrawn(tickets: ClassTicket[]): FeatureCollection {
  return collection(tickets.flatMap(({ no, point: at }) => {
    const [lon, lat] = at ?? [];
    return lon === undefined || lat === undefined ? [] : [point(lon, lat, { no, lamp: 'off', level: 0 })];
  }));
}

/** Tickets that may be about the same as this one: of its source, or of its category so near; the nearest first. */
export function akin(ticket: Ticket, others: Iterable<Ticket>, reachM: number): Ticket[] {
  const found: { other: Ticket; metres: number }[] = [];
  for (const other of others) {
    if (other.no === ticket.no || !other.open) continue;
    const metres = other.source === ticket.source ? 0 : other.category === ticket.category ? metresBetween(ticket, other) : Infinity;
    if (metres <= reachM) found.push({ other, metres });
  }
  return found.sort((a, b) => a.metres - b.metres || b.other.no - a.other.no).map(({ other }) => other);
}

/** Infinite where one of them has no place; by the middle latitude, true to a thousandth below 100 km. */
function metresBetween({ place: a }: Ticket, { place: b }: Ticket): number {
  if (a.lon === null || a.lat === null || b.lon === null || b.lat === null) return Infinity;
  const radians = Math.PI / 180;
  const east = (b.lon - a.lon) * Math.cos(((a.lat + b.lat) / 2) * radians);
  return EARTH_M * radians * Math.hypot(east, b.lat - a.lat);
}

/** The ground within one standard deviation of where something was seen; true to a thousandth below 100 km. */
export function ellipse(ticket: Ticket): Feature<Polygon> | null {
  const { lon, lat, sight } = ticket.place;
  if (lon === null || lat === null || !sight?.error) return null;
  const { major_m, minor_m, bearing } = sight.error;
  const turned = (bearing * Math.PI) / 180;
  const ring = Array.from({ length: ELLIPSE_POINTS + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / ELLIPSE_POINTS;
    const [along, across] = [major_m * Math.cos(angle), minor_m * Math.sin(angle)];
    // Bearings are clockwise from north.
    const north = along * Math.cos(turned) - across * Math.sin(turned);
    const east = along * Math.sin(turned) + across * Math.cos(turned);
    const degrees = 180 / Math.PI / EARTH_M;
    return [lon + (east * degrees) / Math.cos((lat * Math.PI) / 180), lat + north * degrees];
  });
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties: {} };
}

export type Bounds = [west: number, south: number, east: number, north: number];

/** What holds all of these; null where there is nothing. */
export function bounds(features: Feature[]): Bounds | null {
  let out: Bounds | null = null;
  const walk = (coordinates: unknown): void => {
    if (!Array.isArray(coordinates)) return;
    if (typeof coordinates[0] !== 'number') {
      coordinates.forEach(walk);
      return;
    }
    const [lon, lat] = coordinates as [number, number];
    out = out ? [Math.min(out[0], lon), Math.min(out[1], lat), Math.max(out[2], lon), Math.max(out[3], lat)] : [lon, lat, lon, lat];
  };
  for (const feature of features) if ('coordinates' in feature.geometry) walk(feature.geometry.coordinates);
  return out;
}

export function fenceFeatures(fences: Fences): Feature[] {
  return fences.features.map(feature => ({ ...feature, properties: { id: feature.properties?.id, name: feature.properties?.name ?? feature.properties?.id } }));
}
