// What the page shows, and what its buttons do: everything goes to the queue first. What the gateway said last is kept, so that
// a page without network shows it, with its age.
import { computed, ref, shallowRef, triggerRef } from 'vue';
import { get, Problem } from '../api';
import { address } from '../state/address';
import { now, nowMs, setGatewayTime } from '../state/clock';
import { loop } from '../state/live';
import { keep as remember, recall } from '../state/memory';
import type { components } from '../schema';
import type { Loop, Rule, Ticket } from '../types';
import { t } from '../words';
import { type Deed, type Entry, type Fix, Queue } from './queue';
import { send } from './send';
import { keep, kept, shelf } from './shelf';
import { photosOf, tasksOf } from './tasks';

export type Officer = components['schemas']['OfficerName'];
export type Duty = components['schemas']['Duty'];

const REFRESH_MS = 10_000;
const TASKS_MAX = 200;

export const who = ref(recall('field-who') ?? '');
export const officers = shallowRef<Officer[]>([]);
export const me = computed(() => officers.value.find(officer => officer.id === who.value));
export const tickets = shallowRef<Ticket[]>([]);
/** When the tasks were told last; 0 as long as they never were. */
export const toldMs = ref(0);
export const isOnline = ref(true);
/** The token is missing or wrong. */
export const isShut = ref(false);
export const categories = shallowRef<{ id: string; name: string }[]>([]);
/** What went wrong on the phone itself. */
export const fault = ref('');

/** The gateway's word on duty, and what waits to be said of it. */
const toldDuty = shallowRef<Duty | null>(null);
const entries = shallowRef<Entry[]>([]);

export const queue: Queue = new Queue(shelf, send, nowMs, () => {
  entries.value = queue.entries;
  triggerRef(entries);
});

export const mine = computed(() => entries.value.filter(entry => entry.who === who.value));
export const waiting = computed(() => entries.value.filter(entry => entry.state === 'waiting'));
export const refused = computed(() => entries.value.filter(entry => entry.state === 'refused'));
export const tasks = computed(() => tasksOf(tickets.value, entries.value, loop.value, me.value?.roles ?? ['handler'], now.value));

export const duty = computed(() => {
  const said = mine.value.findLast(({ deed, state }) => state === 'waiting' && deed.do === 'duty')?.deed;
  const isOn = said?.do === 'duty' ? said.on : (toldDuty.value?.on_duty ?? false);
  const everyMs = toldDuty.value?.position_every_ms ?? REFRESH_MS;
  return { isOn, isWaiting: said !== undefined, isKnown: toldDuty.value !== null, hasTerminal: toldDuty.value?.terminal ?? false, everyMs };
});

/** Not `randomUUID`: that is there on safe lines only. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Keeps what is to be done, and tries to tell it. Whether it is kept. */
export async function act(subject: string, deed: Deed, needs: string[] = [], key = newKey()): Promise<Entry | null> {
  fault.value = '';
  try {
    const entry = await queue.add(key, who.value, subject, deed, needs);
    void sendWaiting();
    return entry;
  } catch (cause) {
    fault.value = t('field.notKept', { detail: String(cause) });
    return null;
  }
}

export function move(ticket: Ticket, name: string, takesPhotos: boolean, note: string): Promise<Entry | null> {
  const { before, after } = photosOf(ticket.no, mine.value);
  const said = note.trim() ? { note: note.trim() } : {};
  const both = takesPhotos && before && after ? { before: before.key, after: after.key } : undefined;
  const deed: Deed = { do: 'move', ticket: ticket.no, move: name, said, ...(both && { photos: both }) };
  return act(ticket.id, deed, both ? [both.before, both.after] : []);
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** Sends what waits, and comes again when it is worth it. */
export async function sendWaiting(): Promise<void> {
  clearTimeout(timer);
  const run = async () => {
    await queue.load();
    const before = queue.waiting().length;
    await queue.run();
    if (queue.waiting().length < before) await refresh();
  };
  try {
    // Another window of the same phone may be sending.
    if (navigator.locks) await navigator.locks.request('outpost-field', run);
    else await run();
  } catch (cause) {
    fault.value = t('field.notKept', { detail: String(cause) });
  }
  const restMs = queue.restMs();
  if (restMs !== null) timer = setTimeout(() => void sendWaiting(), Math.max(restMs, 250));
}

export async function again(entry: Entry): Promise<void> {
  await queue.again(entry.seq, newKey());
  void sendWaiting();
}

export async function giveUp(entry: Entry): Promise<void> {
  await queue.giveUp(entry.seq);
  void sendWaiting();
}

interface Snapshot {
  atMs: number;
  tickets: Ticket[];
  duty: Duty;
}

export async function refresh(): Promise<void> {
  if (!who.value) return;
  const of = who.value;
  try {
    const list = await get<{ now_ms: number; tickets: Ticket[] }>('/tickets', { stage: 'open', officer: of, limit: TASKS_MAX });
    const said = await get<Duty>(`/officers/${encodeURIComponent(of)}/duty`);
    if (of !== who.value) return;
    setGatewayTime(said.now_ms);
    show({ atMs: said.now_ms, tickets: list.tickets, duty: said });
    [isOnline.value, isShut.value] = [true, false];
    await keep(`tasks:${of}`, { atMs: said.now_ms, tickets: list.tickets, duty: said } satisfies Snapshot);
    const shown = new Set(list.tickets.map(ticket => ticket.id));
    await queue.tidy(subject => shown.has(subject));
  } catch (cause) {
    note(cause);
  }
}

function show(told: Snapshot): void {
  tickets.value = told.tickets;
  toldDuty.value = told.duty;
  toldMs.value = told.atMs;
}

/** No answer is no network; an answer that is none of ours says what is wrong. */
function note(cause: unknown): void {
  isOnline.value = cause instanceof Problem && !cause.isUnanswered && cause.status < 500;
  isShut.value = cause instanceof Problem && cause.status === 401;
}

/** An answer that seldom changes: the last one where there is no network. */
async function known<T>(name: string, path: string, take: (said: T) => void): Promise<void> {
  const before = await kept<T>(name).catch(() => undefined);
  if (before) take(before);
  try {
    const said = await get<T>(path);
    take(said);
    await keep(name, said);
  } catch (cause) {
    note(cause);
  }
}

export async function begin(): Promise<void> {
  await queue.load();
  await Promise.all([
    known<{ officers: Officer[] }>('names', '/officers/names', said => (officers.value = said.officers)),
    known<Loop>('loop', '/loop', said => (loop.value = said)),
    known<{ rules: Rule[] }>('rules', '/rules', said => (categories.value = categoriesOf(said.rules))),
    choose(who.value),
  ]);
  setInterval(() => {
    if (!document.hidden) void refresh();
  }, REFRESH_MS);
  const wake = () => {
    queue.wake();
    void refresh();
    void sendWaiting();
  };
  window.addEventListener('online', wake);
  window.addEventListener('offline', () => (isOnline.value = false));
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) wake();
  });
  void sendWaiting();
}

/** What rules look for is what people may report; a rule's name says what it is. */
export function categoriesOf(rules: Pick<Rule, 'category' | 'name'>[]): { id: string; name: string }[] {
  const named = new Map<string, string>();
  for (const { category, name } of rules) if (category && !named.has(category)) named.set(category, name);
  return [...named].map(([id, name]) => ({ id, name })).sort((a, b) => a.id.localeCompare(b.id));
}

/** Somebody says who they are. */
export async function choose(id: string): Promise<void> {
  who.value = id;
  remember('field-who', id);
  [tickets.value, toldDuty.value, toldMs.value] = [[], null, 0];
  if (!id) return;
  const before = await kept<Snapshot>(`tasks:${id}`).catch(() => undefined);
  if (before && who.value === id) show(before);
  await refresh();
}

/** The page is installed without its token: the phone remembers it. */
export function rememberToken(): void {
  if (address.token) remember('field-token', address.token);
  else address.token = recall('field-token') ?? '';
}

export async function addFix(fix: Fix): Promise<void> {
  await queue.addFix(newKey(), who.value, fix);
}
