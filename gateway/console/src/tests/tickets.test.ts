import { expect, test } from 'vitest';
import { compare, matches, TicketSet } from '../state/tickets';
import { ticket } from './ticket';

const numbers = (set: TicketSet) => [...set.byNo.keys()].sort((a, b) => a - b);

test('of two views of a ticket the later one stays, whichever came last', () => {
  const set = new TicketSet();
  set.take(ticket(1, { revision: 3, stage: 'filed' }), false);
  set.take(ticket(1, { revision: 2, stage: 'accepted' }), false);
  expect(set.byNo.get(1)?.stage).toBe('filed');
});

test('what is closed leaves the list of open tickets, and stays in that of all', () => {
  const set = new TicketSet();
  set.take(ticket(1), false);
  set.take(ticket(1, { revision: 2, open: false }), false);
  expect(numbers(set)).toEqual([]);
  set.take(ticket(1, { revision: 2, open: false }), true);
  expect(numbers(set)).toEqual([1]);
});

test('what the stream told while a list was on its way is newer than the list', () => {
  const set = new TicketSet();
  set.take(ticket(1), false);
  set.take(ticket(4), false);
  set.beginList();
  set.take(ticket(2, { revision: 5, open: false }), false);
  set.take(ticket(3), false);
  set.list([ticket(2, { revision: 4 }), ticket(1, { revision: 2, stage: 'accepted' })]);
  set.endList();
  // 2 ended meanwhile; 3 was opened after the list was read; 4 is in neither.
  expect(numbers(set)).toEqual([1, 3]);
  expect(set.byNo.get(1)?.stage).toBe('accepted');
});

test('a filter finds all its words, whatever their order and case, and severities from one upwards', () => {
  const found = (filter: { find?: string; severity?: string; lamp?: string }) =>
    matches(ticket(7, { unit: 'Patrol 3', severity: 'severe' }), { find: '', severity: '', lamp: '', ...filter }, 1_500);
  expect([found({}), found({ find: 'patrol GAS' }), found({ find: 't-7' }), found({ find: 'gas water' })]).toEqual([true, true, true, false]);
  expect([found({ severity: 'moderate' }), found({ severity: 'severe' }), found({ severity: 'extreme' })]).toEqual([true, true, false]);
  expect([found({ lamp: 'yellow' }), found({ lamp: 'red' })]).toEqual([true, false]);
});

test('tickets come newest first, due first or most severe first', () => {
  const rows = [ticket(1, { severity: 'severe', due_ms: null }), ticket(2, { due_ms: 10 }), ticket(3, { severity: 'severe', due_ms: 20 })];
  const order = (sort: 'new' | 'due' | 'severity') => [...rows].sort((a, b) => compare(sort, a, b)).map(row => row.no);
  expect(order('new')).toEqual([3, 2, 1]);
  expect(order('due')).toEqual([2, 3, 1]);
  expect(order('severity')).toEqual([3, 1, 2]);
});
