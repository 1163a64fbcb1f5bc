// Who could go to the ticket that is looked at. Where officers are is written down with who asked: it is asked only on demand.
import { ref, shallowRef, watch } from 'vue';
import { get } from '../api';
import { t } from '../words';
import type { Offer, Suggestions, Ticket } from '../types';
import { asking, doer, explain, make } from './act';
import { address } from './address';
import { fault } from './live';

/** The last answer, of the ticket that it is about; null until somebody asks. */
export const suggested = shallowRef<{ no: number; said: Suggestions } | null>(null);
export const isAsked = ref(false);

/** The move by which an officer is sent, where one is open. */
export function sending(ticket: Ticket): Offer | undefined {
  return ticket.moves.find(offer => offer.takes.includes('officer'));
}

export async function ask(ticket: Ticket): Promise<Suggestions | null> {
  isAsked.value = true;
  try {
    const said = await get<Suggestions>(`/tickets/${ticket.no}/suggestions`, { who: doer(), reason: t('suggest.reason', { id: ticket.id }) });
    if (address.ticket === ticket.no) suggested.value = { no: ticket.no, said };
    return said;
  } catch (cause) {
    fault.value = explain(cause, t('suggest.title'));
    return null;
  } finally {
    isAsked.value = false;
  }
}

/** Shows who could go; where nobody can be suggested, asks for a unit by its name. */
export async function choose(ticket: Ticket, offer: Offer): Promise<void> {
  const said = await ask(ticket);
  if (address.ticket !== ticket.no) return;
  if (!said || said.suggestions.length === 0) asking.value = { ticket, offer };
}

export function send(ticket: Ticket, offer: Offer, officer: string): Promise<void> {
  suggested.value = null;
  return make(ticket, offer, { officer });
}

export function follow(): void {
  // What was asked for one ticket is no answer for another; who was moved is somewhere else.
  watch(() => address.ticket, () => {
    suggested.value = null;
  });
}
