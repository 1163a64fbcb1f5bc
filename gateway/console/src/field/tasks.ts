// Which tickets are an officer's to work on, in which order, where they will stand once all that waits is sent, and what may
// then be done. Plain data.
import type { Loop, Offer, Ticket } from '../types';
import { lampOf } from '../state/clock';
import type { Entry } from './queue';

/** Stages with work for who handles it. */
const AT_WORK = ['dispatched', 'signed', 'handling', 'suspended'];

/** What is done with one hand, the likeliest first. Other moves are for the desk. */
export const FIELD_MOVES = ['sign', 'start', 'feed-back', 'solve', 'acknowledge', 'return', 'dispute', 'escalate'] as const;

export interface Task {
  ticket: Ticket;
  /** After all that waits. */
  stage: string;
  /** Moves that wait to be sent. */
  waits: string[];
  offers: Offer[];
}

/** Lamps first, and of one lamp what is due first. */
export function compareTasks(a: Task, b: Task, atMs: number): number {
  const order = ['red', 'yellow', 'green', 'off'];
  const lamp = order.indexOf(lampOf(a.ticket, atMs)) - order.indexOf(lampOf(b.ticket, atMs));
  if (lamp !== 0) return lamp;
  return (a.ticket.due_ms ?? Infinity) - (b.ticket.due_ms ?? Infinity) || a.ticket.no - b.ticket.no;
}

export function tasksOf(tickets: Ticket[], entries: Entry[], loop: Loop, roles: string[], atMs: number): Task[] {
  const tasks = tickets.map(ticket => taskOf(ticket, entries, loop, roles));
  return tasks.filter(task => AT_WORK.includes(task.stage) || task.waits.length > 0).sort((a, b) => compareTasks(a, b, atMs));
}

export function taskOf(ticket: Ticket, entries: Entry[], loop: Loop, roles: string[]): Task {
  const waits: string[] = [];
  let stage: string = ticket.stage;
  for (const { deed, state } of entries) {
    if (state !== 'waiting' || deed.do !== 'move' || deed.ticket !== ticket.no) continue;
    waits.push(deed.move);
    const row = loop.moves.find(row => row.move === deed.move && row.from.includes(stage));
    if (row?.to && row.to !== 'held') stage = row.to;
  }
  const rows = loop.moves.filter(row => row.from.includes(stage) && row.roles.some(role => roles.includes(role)));
  const mine = FIELD_MOVES.flatMap(move => rows.find(row => row.move === move) ?? []);
  const offers = mine
    // As long as nothing waits the gateway's own word counts.
    .filter(row => (waits.length > 0 ? row.move !== 'acknowledge' : ticket.moves.some(offer => offer.move === row.move)))
    .map(({ move, needs, takes, check }) => ({ move, needs, takes, check }));
  return { ticket, stage, waits, offers };
}

/** The last photo of each side: what is said of the work refers to both. */
export function photosOf(no: number, entries: Entry[]): { before: Entry | undefined; after: Entry | undefined } {
  const last = (kind: string) =>
    entries.findLast(({ deed, state }) => state !== 'refused' && deed.do === 'file' && deed.ticket === no && deed.kind === kind);
  return { before: last('before'), after: last('after') };
}
