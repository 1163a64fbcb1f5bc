// Moves that the operator asks for: shown at once as asked, and as done only when the gateway says so.
import { ref } from 'vue';
import { Problem, post } from '../api';
import { t } from '../words';
import type { Offer, Ticket } from '../types';
import { fault, loop, take } from './live';
import { keep, recall } from './memory';
import { type Answers, bodyOf, fieldsOf } from './moves';
import { moveName } from './names';
import { unconfirmed } from './tickets';

export const who = ref(recall('who') ?? '');

export function sayWho(name: string): void {
  who.value = name.trim();
  keep('who', who.value);
}

/** The operator's name, or that it was not said. */
export function doer(): string {
  return who.value || t('who.nobody');
}

/** A form that waits to be filled in. */
export const asking = ref<{ ticket: Ticket; offer: Offer } | null>(null);

/** Asks for what the move needs, or makes it at once. */
export function begin(ticket: Ticket, offer: Offer): void {
  if (unconfirmed.has(ticket.no)) return;
  if (fieldsOf(offer).length > 0) asking.value = { ticket, offer };
  else void make(ticket, offer, {});
}

export async function make(ticket: Ticket, offer: Offer, answers: Answers): Promise<void> {
  const row = loop.value.moves.find(row => row.move === offer.move && row.from.includes(ticket.stage));
  unconfirmed.set(ticket.no, { move: offer.move, to: row?.to && row.to !== 'held' ? row.to : null });
  fault.value = '';
  try {
    const said = await post<{ ticket: Ticket }>(`/tickets/${ticket.no}/${offer.move}`, bodyOf(doer(), answers));
    take(said.ticket);
  } catch (cause) {
    fault.value = explain(cause, `${ticket.id} ${moveName(offer.move)}`);
  } finally {
    unconfirmed.delete(ticket.no);
  }
}

/** A sentence for the operator: what the gateway said, or that it said nothing. */
export function explain(cause: unknown, what: string): string {
  if (cause instanceof Problem && !cause.isUnanswered) return t('fault.refused', { what, detail: cause.message });
  return t('fault.unanswered', { what });
}
