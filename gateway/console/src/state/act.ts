// Moves that the operator asks for: shown at once as asked, and as done only when the gateway says so.
import { ref, shallowRef } from 'vue';
import { Problem, post } from '../api';
import { t } from '../words';
import type { Offer, Ticket } from '../types';
import { nowMs } from './clock';
import { fault, loop, take } from './live';
import { keep, recall } from './memory';
import { type Answers, bodyOf, fieldsOf, wayOf } from './moves';
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

/** Until a move that was made with one key is sent. */
const UNDO_MS = 6_000;

/** A move that can still be taken back: nobody was told of it yet. */
export const withheld = shallowRef<{ ticket: Ticket; offer: Offer; answers: Answers; untilMs: number } | null>(null);
let sending: ReturnType<typeof setTimeout> | undefined;

function withhold(ticket: Ticket, offer: Offer, answers: Answers): void {
  withheld.value = { ticket, offer, answers, untilMs: nowMs() + UNDO_MS };
  sending = setTimeout(flush, UNDO_MS);
}

/** Whether there was something to take back. */
export function undo(): boolean {
  const had = withheld.value !== null;
  clearTimeout(sending);
  withheld.value = null;
  return had;
}

/** Sends what waits, at once. */
export function flush(): void {
  const one = withheld.value;
  if (undo() && one) void make(one.ticket, one.offer, one.answers);
}

/** One key, no form: with the reason that was given last for this move. Where none was, or more is needed, the form asks. */
export function quickly(ticket: Ticket, offer: Offer): void {
  const reason = recall(`reason.${offer.move}`);
  if (!reason || offer.needs.length !== 1 || offer.needs[0] !== 'note') {
    begin(ticket, offer);
    return;
  }
  flush();
  if (!unconfirmed.has(ticket.no)) withhold(ticket, offer, { note: reason });
}

/** Asks for what the move needs, or makes it at once. */
export function begin(ticket: Ticket, offer: Offer): void {
  flush();
  if (unconfirmed.has(ticket.no)) return;
  if (fieldsOf(offer).length > 0) asking.value = { ticket, offer };
  else void make(ticket, offer, {});
}

export async function make(ticket: Ticket, offer: Offer, answers: Answers): Promise<void> {
  if (wayOf(offer.move) === 'back' && answers.note?.trim()) keep(`reason.${offer.move}`, answers.note.trim());
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
