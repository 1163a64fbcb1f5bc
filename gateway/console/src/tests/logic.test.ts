import { expect, test } from 'vitest';
import { camerasOf, compareHealth, isUnwell, Rates, standingOf } from '../state/health';
import { address } from '../state/address';
import { lampOf, span } from '../state/clock';
import { bodyOf, byWay, fieldsOf, offerOfKey } from '../state/moves';
import { datesOf, monthOf } from '../state/period';
import { isUntaken, worst } from '../state/sound';
import { rowsInSight, scrollTo } from '../state/window';
import type { Offer, Source, Ticket } from '../types';
import { ticket } from './ticket';

const offer = (move: string, needs: string[] = [], takes: string[] = []): Offer => ({ move, needs, takes, check: false });

test('a lamp turns yellow, and red after it was due', () => {
  const timed = { yellow_ms: 1_000, due_ms: 2_000 };
  expect([999, 1_000, 2_000, 2_001].map(at => lampOf(timed, at))).toEqual(['green', 'yellow', 'yellow', 'red']);
  expect(lampOf({ yellow_ms: null, due_ms: null }, 5_000)).toBe('off');
});

test('spans are short and keep their length', () => {
  expect([0, 59_999, -61_000, 3_600_000, 172_800_000].map(span)).toEqual(['00:00', '00:59', '01:01', '1 小时 00 分', '2 天']);
});

test('only rows in sight and some beside are drawn, however long the list', () => {
  expect(rowsInSight(10_000, 60, 0, 600)).toEqual({ from: 0, to: 18 });
  expect(rowsInSight(10_000, 60, 300_000, 600)).toEqual({ from: 4_992, to: 5_018 });
  expect(rowsInSight(10_000, 60, 600_000, 600)).toEqual({ from: 9_992, to: 10_000 });
  expect(rowsInSight(3, 60, 9_000, 600)).toEqual({ from: 3, to: 3 });
});

test('a row that is out of sight is scrolled to by as little as possible', () => {
  expect(scrollTo(5, 60, 0, 600)).toBe(0);
  expect(scrollTo(12, 60, 0, 600)).toBe(180);
  expect(scrollTo(2, 60, 600, 600)).toBe(120);
});

test('a key means the first of its moves that is open', () => {
  const reported = ['accept', 'refuse', 'solve', 'merge', 'escalate'].map(move => offer(move));
  const key = (key: string, offers: Offer[]) => offerOfKey(key, offers)?.move;
  expect(['a', 'x', 'e', 'd', 'q'].map(name => key(name, reported))).toEqual(['accept', 'refuse', 'escalate', undefined, undefined]);
  expect(['a', 'c', 'x'].map(name => key(name, [offer('confirm'), offer('reject')]))).toEqual(['confirm', 'confirm', 'reject']);
  expect(key('c', reported)).toBe(undefined);
  expect(key('d', [offer('return'), offer('reassign')])).toBe('reassign');
});

test('a move that the page does not know is offered beside the others', () => {
  const ways = byWay([offer('accept'), offer('return'), offer('teleport')]);
  expect([ways.on[0]?.move, ways.back[0]?.move, ways.beside[0]?.move]).toEqual(['accept', 'return', 'teleport']);
});

test('an officer is chosen and not typed, and goes out by the id', () => {
  expect(fieldsOf(offer('dispatch', ['unit'], ['officer']))).toEqual([{ key: 'unit', isNeeded: true }]);
  expect(bodyOf('Zhou', { officer: 'li' })).toEqual({ who: 'Zhou', officer: 'li' });
});

test('months end before the next begins, over the turn of the year', () => {
  const january = new Date(2026, 0, 15).getTime();
  expect([0, 1, 13].map(before => monthOf(january, before))).toEqual(['2026-01', '2025-12', '2024-12']);
  expect(datesOf('2025-12')).toEqual({ from: '2025-12-01', to: '2026-01-01' });
  expect(datesOf('2026-09')).toEqual({ from: '2026-09-01', to: '2026-10-01' });
});

test('photos are two fields and one key of the body', () => {
  const solve = offer('solve', ['photos'], ['note']);
  expect(fieldsOf(solve)).toEqual([
    { key: 'before', isNeeded: true }, { key: 'after', isNeeded: true }, { key: 'note', isNeeded: false },
  ]);
  expect(bodyOf('Li', { before: ' a ', after: 'b', note: ' ' })).toEqual({ who: 'Li', photos: { before: 'a', after: 'b' } });
  expect(bodyOf('Li', { before: 'a' })).toEqual({ who: 'Li' });
  expect(bodyOf('Li', { into: 'T-12', score: '4' })).toEqual({ who: 'Li', into: 12, score: 4 });
});

test('the worst of what nobody has taken rings, and nothing that was accepted', () => {
  const accepted = ticket(1, { severity: 'extreme', stage: 'accepted' });
  expect(isUntaken(accepted)).toBe(false);
  expect(worst([undefined, accepted, ticket(2), ticket(3, { severity: 'severe' })], 0)?.no).toBe(3);
  expect(worst([accepted], 0)).toBe(null);
});

test('what the filter hides does not ring', () => {
  Object.assign(address, { severity: 'severe' });
  expect(worst([ticket(1), ticket(2, { severity: 'extreme' })], 0)?.no).toBe(2);
  expect(worst([ticket(1)], 0)).toBe(null);
  Object.assign(address, { severity: '', find: 'water' });
  expect(worst([ticket(2, { severity: 'extreme' })], 0)).toBe(null);
  Object.assign(address, { find: '' });
});

const source = (id: string, changes: Partial<Source> = {}): Source => ({
  id, name: '', observations: 0, rejected: 0, last_reject: null, last_heard: null, last: null, link: null, clock_drift_ms: null, shed: null, place: null, ...changes,
});

test('unwell sources come first, the worst before all', () => {
  const offline = source('cam:b', { link: { state: 'offline', reason: 'auth' }, last_heard: '2026-01-01T00:00:00Z' });
  const rows = [source('a', { last_heard: '2026-01-01T00:00:00Z' }), source('never'), offline, source('cam:a', { link: { state: 'live', reason: null } })];
  expect([...rows].sort(compareHealth).map(row => row.id)).toEqual(['cam:b', 'never', 'a', 'cam:a']);
  expect(rows.map(isUnwell)).toEqual([false, true, true, false]);
  expect(rows.map(standingOf)).toEqual(['well', 'unknown', 'unwell', 'well']);
});

test('the cameras of a ticket are the one of its alert and those of its pictures, each once', () => {
  const picture = (source: string) => ({ no: 1, source, role: 'visible', at: '', path: null, missing: null, sha256: null }) as unknown as Ticket['pictures'][number];
  expect(camerasOf(ticket(1))).toEqual([]);
  expect(camerasOf(ticket(1, { source: 'cam:hall' }))).toEqual(['cam:hall']);
  expect(camerasOf(ticket(1, { source: 'thermal/yard', pictures: [picture('thermal/yard'), picture('cam:yard'), picture('cam:yard')] }))).toEqual(['cam:yard']);
});

test('a rate is of the time between two looks, and unknown at the first and after a restart', () => {
  const rates = new Rates();
  const at = (n: number, atMs: number) => rates.take([source('a', { observations: n })], atMs).get('a');
  expect([at(100, 0), at(110, 30_000), at(110, 60_000), at(3, 90_000), at(5, 100_000)]).toEqual([null, 20, 0, null, 12]);
});
