// The live stream and the list behind it: what is shown is as the gateway has it, or is said to be old.
import { ref, shallowRef } from 'vue';
import { get, Problem, url } from '../api';
import type { JournalEntry, Loop, Silence, Ticket } from '../types';
import { address } from './address';
import { nowMs, setGatewayTime } from './clock';
import { changed, isCut, set } from './tickets';

/** The gateway sends a beat at least every 15 s: a line on which nothing came for longer than two is dead. */
const SILENCE_MS = 35_000;
const RETRY_MS = 3_000;
const SILENCES_MS = 15_000;
/** Frames that follow the moment come without an entry in the journal. */
const FOLLOW_MS = 5_000;

/** The first page is small, so that something is shown at once. */
const FIRST_PAGE = 200;
const PAGE = 1_000;
const OPEN_MAX = 20_000;
const CLOSED_MAX = 2_000;

export const isLive = ref(false);
/** When the gateway was heard last; 0 as long as it never was. */
export const heardMs = ref(0);
export const isLoaded = ref(false);
export const loop = shallowRef<Loop>({ stages: [], moves: [] });
export const silences = shallowRef<Silence[]>([]);
/** What went wrong last, for people. */
export const fault = ref('');

export interface Told {
  what: string;
  who: string;
  note: string;
  ticket: Ticket;
}
type Listener = (told: Told) => void;
const listeners = new Set<Listener>();

/** Hears each entry of the stream, after it was taken, until what is returned is called. */
export function onTold(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the gateway said last of any ticket, also of one that leaves the list by that. */
export const taken = shallowRef<Ticket | null>(null);

export function take(ticket: Ticket): void {
  set.value.take(ticket, address.closed);
  taken.value = ticket;
  changed();
}

export async function one(no: number): Promise<{ ticket: Ticket; journal: JournalEntry[] }> {
  const said = await get<{ now_ms: number; ticket: Ticket; journal: JournalEntry[] }>(`/tickets/${no}`);
  if (set.value.byNo.has(no)) take(said.ticket);
  return said;
}

let loads = 0;

export async function load(): Promise<void> {
  const mine = ++loads;
  const isCurrent = () => mine === loads;
  try {
    if (loop.value.moves.length === 0) loop.value = await get<Loop>('/loop');
    if (!isCurrent()) return;
    set.value.beginList();
    const most = address.closed ? CLOSED_MAX : OPEN_MAX;
    let before: number | undefined;
    let n = 0;
    for (;;) {
      const limit = before === undefined ? FIRST_PAGE : PAGE;
      const query = { stage: address.closed ? 'all' : 'open', limit, before };
      const page = await get<{ now_ms: number; tickets: Ticket[] }>('/tickets', query);
      if (!isCurrent()) return;
      setGatewayTime(page.now_ms);
      set.value.list(page.tickets);
      changed();
      isLoaded.value = true;
      n += page.tickets.length;
      before = page.tickets.at(-1)?.no;
      isCut.value = page.tickets.length === limit && n >= most;
      if (page.tickets.length < limit || n >= most) break;
    }
    set.value.endList();
    changed();
    heardMs.value = nowMs();
  } catch (cause) {
    // That the gateway is away is told by the stream, which loads again when it is back.
    if (cause instanceof Problem && !cause.isUnanswered && isCurrent()) fault.value = cause.message;
  }
}

export async function loadSilences(): Promise<void> {
  try {
    silences.value = (await get<{ silences: Silence[] }>('/silences')).silences;
  } catch {
    // Told by the stream.
  }
}

let source: EventSource | null = null;
let beatMs = 0;

function heard(): void {
  beatMs = performance.now();
  if (heardMs.value) heardMs.value = nowMs();
}

function connect(): void {
  source?.close();
  // By itself it comes back with the number of the last entry it had, and misses none.
  source = new EventSource(url('/api/v1/stream'));
  beatMs = performance.now();
  source.onopen = () => {
    heard();
    isLive.value = true;
    void load();
    void loadSilences();
  };
  source.onerror = () => {
    isLive.value = false;
  };
  source.addEventListener('beat', heard);
  source.addEventListener('ticket', message => {
    heard();
    const told = JSON.parse(message.data as string) as Told;
    take(told.ticket);
    for (const listener of listeners) listener(told);
    if (told.ticket.pictures.length > 0) setTimeout(() => void again(told.ticket.no), FOLLOW_MS);
  });
}

async function again(no: number): Promise<void> {
  if (!set.value.byNo.has(no)) return;
  await one(no).catch(() => undefined);
}

export function start(): void {
  connect();
  // A browser that lost its network, or has it again, does not notice what that means for a stream: asking anew does. A gateway
  // on this machine answers all the same.
  for (const change of ['offline', 'online']) window.addEventListener(change, connect);
  setInterval(() => void loadSilences(), SILENCES_MS);
  // A browser gives up on a stream that was refused, and never notices one that fell silent.
  setInterval(() => {
    const isSilent = performance.now() - beatMs > SILENCE_MS;
    if (isSilent) isLive.value = false;
    if (!isSilent && source?.readyState !== EventSource.CLOSED) return;
    connect();
    if (!heardMs.value) void load();
  }, RETRY_MS);
}
