// What the detail shows beside the ticket itself: its journal, its alert, its rule. Asked anew when the ticket changes.
import { computed, ref, shallowRef, watch } from 'vue';
import { get, Problem } from '../api';
import type { Alert, JournalEntry, Rule, Ticket } from '../types';
import { address } from './address';
import { isLive, one, taken } from './live';
import { set } from './tickets';

/** The newest view of the ticket that is looked at: the list may not have it, such as a closed one that an address names. */
const elsewhere = shallowRef<Ticket | null>(null);
export const journal = shallowRef<JournalEntry[]>([]);
export const alert = shallowRef<Alert | null>(null);
export const missing = ref('');
const rules = shallowRef(new Map<string, Rule>());

export const ticket = computed<Ticket | null>(() => {
  const no = address.ticket;
  if (no === null) return null;
  const listed = set.value.byNo.get(no) ?? null;
  const other = elsewhere.value?.no === no ? elsewhere.value : null;
  // Gone from the list with its last move, and the answer is the newer view.
  if (listed && other) return listed.revision >= other.revision ? listed : other;
  return listed ?? other;
});

export const rule = computed(() => (ticket.value ? (rules.value.get(ticket.value.rule) ?? null) : null));

async function load(no: number, isNew: boolean): Promise<void> {
  try {
    const said = await one(no);
    if (address.ticket !== no) return;
    elsewhere.value = said.ticket;
    journal.value = said.journal;
    missing.value = '';
    // What somebody reported has none.
    const found = said.ticket.alert ? await get<{ alert: Alert }>(`/alerts/${said.ticket.alert}`) : null;
    if (address.ticket !== no) return;
    alert.value = found?.alert ?? null;
    if (isNew || !rules.value.has(said.ticket.rule)) {
      const all = await get<{ rules: Rule[] }>('/rules');
      rules.value = new Map(all.rules.map(rule => [rule.id, rule]));
    }
  } catch (cause) {
    if (cause instanceof Problem && cause.status === 404 && address.ticket === no) missing.value = cause.message;
  }
}

export function follow(): void {
  watch(() => address.ticket, no => {
    journal.value = [];
    alert.value = null;
    missing.value = '';
    if (no !== null) void load(no, true);
  }, { immediate: true });
  watch(taken, told => {
    if (!told || told.no !== address.ticket) return;
    const known = elsewhere.value;
    if (known?.no !== told.no || known.revision <= told.revision) elsewhere.value = told;
  }, { flush: 'sync' });
  watch([() => ticket.value?.revision, isLive], () => {
    if (address.ticket !== null) void load(address.ticket, false);
  });
}
