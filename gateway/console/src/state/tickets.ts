// The tickets that the page knows, and which of them are shown in what order. Plain data: no requests, no page.
import { computed, reactive, shallowRef, triggerRef } from 'vue';
import type { Lamp, Severity, Ticket } from '../types';
import { type Address, address } from './address';
import { lampOf, now } from './clock';

export const SEVERITIES: Severity[] = ['minor', 'moderate', 'severe', 'extreme'];

/** By number. Of two views of a ticket the one with the higher revision is the later, whichever came last. */
export class TicketSet {
  readonly byNo = new Map<number, Ticket>();
  /** While a list is on its way: what the stream told meanwhile. */
  private since: Set<number> | null = null;
  private seen = new Set<number>();

  take(ticket: Ticket, withClosed: boolean): void {
    this.since?.add(ticket.no);
    this.put(ticket);
    if (!ticket.open && !withClosed) this.byNo.delete(ticket.no);
  }

  beginList(): void {
    this.since = new Set();
    this.seen = new Set();
  }

  /** One page of the list; what is known and newer stays. */
  list(tickets: Ticket[]): void {
    for (const ticket of tickets) {
      this.seen.add(ticket.no);
      // Told by the stream, and perhaps gone from the set by that.
      if (!this.since?.has(ticket.no)) this.put(ticket);
    }
  }

  /** What neither the list nor the stream has is not there any more. */
  endList(): void {
    for (const no of this.byNo.keys()) {
      if (!this.seen.has(no) && !this.since?.has(no)) this.byNo.delete(no);
    }
    this.since = null;
  }

  private put(ticket: Ticket): void {
    const known = this.byNo.get(ticket.no);
    if (!known || known.revision <= ticket.revision) this.byNo.set(ticket.no, ticket);
  }
}

export const set = shallowRef(new TicketSet());

let isDue = false;

/** Draws what changed with the next frame: a storm of a thousand entries is one drawing. */
export function changed(): void {
  if (isDue) return;
  isDue = true;
  const draw = () => {
    isDue = false;
    triggerRef(set);
  };
  // A page in the background gets no frames.
  if (document.hidden) setTimeout(draw, 0);
  else requestAnimationFrame(draw);
}

/** Whether there are more than were loaded. */
export const isCut = shallowRef(false);

export function matches(ticket: Ticket, filter: Pick<Address, 'find' | 'severity' | 'lamp'>, atMs: number): boolean {
  if (filter.severity && SEVERITIES.indexOf(ticket.severity) < SEVERITIES.indexOf(filter.severity as Severity)) return false;
  if (filter.lamp && lampOf(ticket, atMs) !== filter.lamp) return false;
  const words = filter.find.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const { id, title, source, why, unit, centre, place, rule, category } = ticket;
  const text = [id, title, source, why, unit, centre, place.name, rule, category].join('\n').toLowerCase();
  return words.every(word => text.includes(word));
}

export function compare(sort: Address['sort'], a: Ticket, b: Ticket): number {
  if (sort === 'due') {
    const [due, other] = [a.due_ms ?? Infinity, b.due_ms ?? Infinity];
    if (due !== other) return due < other ? -1 : 1;
  } else if (sort === 'severity') {
    const difference = SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
    if (difference !== 0) return difference;
  }
  return b.no - a.no;
}

export const shown = computed<Ticket[]>(() => {
  // Only a filter by lamp changes with time.
  const atMs = address.lamp ? now.value : 0;
  const rows = [...set.value.byNo.values()].filter(ticket => matches(ticket, address, atMs));
  return rows.sort((a, b) => compare(address.sort, a, b));
});

/** Of all that are open, whatever the filter. */
export const counts = computed(() => {
  const lit: Record<Lamp, number> = { red: 0, yellow: 0, green: 0, off: 0 };
  let open = 0;
  for (const ticket of set.value.byNo.values()) {
    if (!ticket.open) continue;
    open++;
    lit[lampOf(ticket, now.value)]++;
  }
  return { open, lit };
});

/** Moves that were asked for and not answered yet, by ticket. */
export const unconfirmed = reactive(new Map<number, { move: string; to: string | null }>());
