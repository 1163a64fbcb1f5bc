import { expect, test } from 'vitest';
import { akin, bounds, ellipse, membersDrawn, officerPoints, sourcePoints, ticketPoints } from '../state/places';
import type { Source } from '../types';
import { ticket } from './ticket';

const source = (id: string, changes: Partial<Source> = {}): Source => ({
  id, name: '', observations: 1, rejected: 0, last_reject: null, last_heard: null, last: null, link: null, clock_drift_ms: null, shed: null, place: null, ...changes,
});

test('a source is called as configured, and is where it said that it is, or else where it stands, or nowhere', () => {
  const here = { lon: 106, lat: 29 };
  const points = sourcePoints([source('bus', { last: { lon: 1, lat: 2 }, place: here }), source('cam:hall', { name: '门厅', last: 'picture', place: here }), source('gas')]);
  expect(points.map(point => [point.properties.id, point.properties.name, ...point.geometry.coordinates])).toEqual([['bus', 'bus', 1, 2], ['cam:hall', '门厅', 106, 29]]);
});

test('a ticket without a place is no point, and the lamp is that of the moment', () => {
  const place = { name: null, lon: 106, lat: 29 };
  const points = ticketPoints([ticket(1), ticket(2, { place, severity: 'extreme' })], 3_000);
  expect(points.map(point => point.properties)).toEqual([{ no: 2, lamp: 'red', level: 3 }]);
});

test('an error ellipse has its half axes in metres along its bearing', () => {
  const error = { major_m: 1_000, minor_m: 100, bearing: 90 };
  const sight = { bearing: 0, bearing_error: 1, distance_m: 1, error, grids: [], flat: true };
  const ring = ellipse(ticket(1, { place: { name: null, lon: 106, lat: 60, sight } }))!.geometry.coordinates[0]!;
  const [east, north] = [Math.max(...ring.map(([lon]) => lon! - 106)), Math.max(...ring.map(([, lat]) => lat! - 60))];
  // A degree of latitude has 111.195 km, one of longitude at 60° half of that.
  expect(east * 111_195 * 0.5).toBeCloseTo(1_000, 0);
  expect(north * 111_195).toBeCloseTo(100, 0);
  expect(ellipse(ticket(1, { place: { name: null, lon: 106, lat: 60 } }))).toBe(null);
});

test('bounds hold all points, however deep their coordinates are', () => {
  const polygon = { type: 'Feature' as const, properties: {}, geometry: { type: 'Polygon' as const, coordinates: [[[1, 2], [3, -4], [1, 2]]] } };
  expect(bounds([polygon, ...sourcePoints([source('a', { place: { lon: 5, lat: 6 } })])])).toEqual([1, -4, 5, 6]);
  expect(bounds([])).toBe(null);
});

test('tickets that may be about the same are of one source, or of one category near by, the nearest first', () => {
  const at = (no: number, lat: number | null, changes = {}) => ticket(no, { source: `s/${no}`, place: { name: null, lon: lat === null ? null : 106, lat }, ...changes });
  const one = at(1, 29);
  // 0.001° of latitude are 111 m.
  const others = [at(2, 29.004), at(3, 29.001), at(4, 29.006), at(5, 29.0001, { category: 'roads/pothole' }), at(6, null, { source: 's/1' }), at(7, 29, { open: false }), at(8, null), one];
  expect(akin(one, others, 500).map(other => other.no)).toEqual([6, 3, 2]);
});

test('tickets of a class case are points where they have a place', () => {
  const of = (no: number, point: number[] | null) => ({ id: `T-${no}`, no, source: 's', point, opened: '' });
  expect(membersDrawn([of(1, [106, 29]), of(2, null)]).features.map(feature => feature.properties)).toEqual([{ no: 1, lamp: 'off', level: 0 }]);
});

test('officers are where they were heard, with the age of that, and those who were not are nowhere', () => {
  const of = (id: string, name: string, ageMs: number | null) => ({
    id, name, unit: '', centre: '', on_duty: true, tickets: 0, position: ageMs === null ? null : { lon: 106, lat: 29, accuracy_m: 5, at: '', age_ms: ageMs },
  });
  const points = officerPoints([of('li', '李明', 61_000), of('wu', '', 600_000), of('he', '何', null)], ms => `${ms / 1000} s`);
  expect(points.map(({ properties }) => properties)).toEqual([{ id: 'li', text: '李明 · 61 s', old: false }, { id: 'wu', text: 'wu · 600 s', old: true }]);
});
