import { expect, test } from 'vitest';
import { distanceM, fitted, geoUri, lengthM, roundM } from '../field/geo';
import { sizeOf } from '../field/photo';
import type { Deed, Entry } from '../field/queue';
import { photosOf, taskOf, tasksOf } from '../field/tasks';
import type { Loop, Ticket } from '../types';
import { ticket } from './ticket';

const row = (move: string, from: string[], to: string | null, roles = ['handler'], needs: string[] = []) =>
  ({ move, zh: move, from, to, roles, of: 'any centre', needs, takes: [], check: false, emergency: false, private: false });
const loop = {
  stages: [],
  moves: [
    row('sign', ['dispatched'], 'signed'), row('start', ['signed'], 'handling'), row('feed-back', ['handling'], 'fed-back', ['handler'], ['note']),
    row('return', ['dispatched', 'signed'], 'filed', ['handler'], ['note']), row('escalate', ['dispatched', 'signed', 'handling'], null, ['officer']),
    row('recall', ['dispatched'], 'filed', ['dispatcher']),
  ],
} as Loop;

const sent = (no: number, changes: Partial<Ticket> = {}) =>
  ticket(no, { stage: 'dispatched', moves: ['sign', 'return', 'escalate', 'recall'].map(move => ({ move, needs: [], takes: [], check: false })), ...changes });

const entry = (seq: number, deed: Deed, state: Entry['state'] = 'waiting'): Entry =>
  ({ seq, key: String(seq), who: 'li', atMs: 0, subject: 'T-1', needs: [], deed, state, tries: 0, refusal: '', result: {} });
const moved = (seq: number, move: string, state: Entry['state'] = 'waiting') => entry(seq, { do: 'move', ticket: 1, move, said: {} }, state);

test('a task stands where it will stand once all that waits is told, and offers what then follows', () => {
  const offered = (entries: Entry[], roles = ['handler']) => {
    const task = taskOf(sent(1), entries, loop, roles);
    return [task.stage, ...task.offers.map(offer => offer.move)];
  };
  expect(offered([])).toEqual(['dispatched', 'sign', 'return']);
  expect(offered([], ['handler', 'officer'])).toEqual(['dispatched', 'sign', 'return', 'escalate']);
  expect(offered([moved(1, 'sign')])).toEqual(['signed', 'start', 'return']);
  expect(offered([moved(1, 'sign'), moved(2, 'start')])).toEqual(['handling', 'feed-back']);
  // What was refused leads nowhere.
  expect(offered([moved(1, 'sign', 'refused')])).toEqual(['dispatched', 'sign', 'return']);
  expect(taskOf(sent(1), [moved(1, 'sign'), moved(2, 'start')], loop, ['handler']).waits).toEqual(['sign', 'start']);
});

test('the worst lamp comes first, and of one lamp what is due first', () => {
  const tickets = [sent(1, { yellow_ms: 900, due_ms: 1_000 }), sent(2, { yellow_ms: 50, due_ms: 60 }), sent(3, { yellow_ms: 800, due_ms: 900 }), sent(4, { yellow_ms: 90, due_ms: 500 })];
  expect(tasksOf(tickets, [], loop, ['handler'], 100).map(task => task.ticket.no)).toEqual([2, 4, 3, 1]);
});

test('what is fed back is no task any more, unless it waits to be told', () => {
  const tickets = [ticket(1, { stage: 'fed-back' }), sent(2), ticket(3, { stage: 'filed' })];
  expect(tasksOf(tickets, [], loop, ['handler'], 0).map(task => task.ticket.no)).toEqual([2]);
  expect(tasksOf([ticket(1, { stage: 'handling' })], [moved(1, 'feed-back')], loop, ['handler'], 0)[0]?.stage).toBe('fed-back');
});

test('the last photo of each side counts, and none that was refused', () => {
  const photo = (seq: number, kind: 'before' | 'after', state: Entry['state'] = 'waiting') => entry(seq, { do: 'file', ticket: 1, kind, blob: null }, state);
  const { before, after } = photosOf(1, [photo(1, 'before', 'done'), photo(2, 'before'), photo(3, 'before', 'refused')]);
  expect([before?.seq, after]).toEqual([2, undefined]);
});

test('distances are those of the globe, and told as exactly as is useful', () => {
  // One minute of latitude is a nautical mile.
  expect(distanceM({ lon: 106, lat: 29 }, { lon: 106, lat: 29 + 1 / 60 })).toBeCloseTo(1853, 0);
  expect(distanceM({ lon: 179.99, lat: 0 }, { lon: -179.99, lat: 0 })).toBeCloseTo(2224, 0);
  expect([4, 87, 1_234, 12_345].map(roundM)).toEqual([{ n: '0', isKm: false }, { n: '90', isKm: false }, { n: '1.2', isKm: true }, { n: '12', isKm: true }]);
  expect(lengthM([{ lon: 0, lat: 0 }])).toBe(0);
  expect(geoUri({ lon: 106.5, lat: 29.6 })).toBe('geo:29.600000,106.500000?q=29.600000,106.500000');
});

test('a track is drawn within its box, in the shape that it has on the ground', () => {
  const drawn = fitted([{ lon: 106, lat: 60 }, { lon: 106.02, lat: 60.01 }], 200, 200, 20);
  const [a, b] = [drawn[0]!, drawn[1]!];
  // At 60 degrees north a degree of longitude is half as long.
  expect(b.x - a.x).toBeCloseTo(a.y - b.y, 0);
  expect([a.x, b.y].map(Math.round)).toEqual([20, 20]);
  expect(fitted([{ lon: 1, lat: 1 }], 100, 50, 5)).toEqual([{ x: 50, y: 25 }]);
  expect(fitted([], 100, 50, 5)).toEqual([]);
  expect(fitted([{ lon: 1, lat: 1 }, { lon: 1, lat: 2 }], 100, 100, 10).map(({ x }) => x)).toEqual([50, 50]);
});

test('a photo keeps its shape and is never made larger', () => {
  expect(sizeOf(4_000, 3_000)).toEqual({ width: 1_600, height: 1_200 });
  expect(sizeOf(3_000, 4_000)).toEqual({ width: 1_200, height: 1_600 });
  expect(sizeOf(640, 480)).toEqual({ width: 640, height: 480 });
  expect(sizeOf(100_000, 1)).toEqual({ width: 1_600, height: 1 });
});
