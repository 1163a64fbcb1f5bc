// The gateway's time: lamps go by it, whatever this machine's clock says. And how times are said.
import { t } from '../words';
import { computed, ref } from 'vue';
import type { Clock, Lamp, Ticket } from '../types';

const TICK_MS = 1000;

let aheadMs = 0;
const tick = ref(Date.now());

/** Milliseconds since 1970, by the gateway; what reads it is drawn anew each second. */
export const now = computed(() => tick.value + aheadMs);

export function nowMs(): number {
  return Date.now() + aheadMs;
}

export function setGatewayTime(ms: number): void {
  aheadMs = ms - Date.now();
  tick.value = Date.now();
}

export function start(): void {
  setInterval(() => {
    tick.value = Date.now();
  }, TICK_MS);
}

export function lampOf(timed: Pick<Ticket | Clock, 'yellow_ms' | 'due_ms'>, atMs: number): Lamp {
  if (timed.due_ms === null) return 'off';
  if (atMs > timed.due_ms) return 'red';
  return timed.yellow_ms !== null && atMs >= timed.yellow_ms ? 'yellow' : 'green';
}

/** `04:05`, `3 h 20`, `5 d`: short enough for a list, the same in all languages. */
export function span(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  if (hours >= 48) return t('time.days', { n: Math.floor(hours / 24) });
  if (hours > 0) return t('time.hours', { hours, minutes: two(minutes % 60) });
  return `${two(minutes)}:${two(seconds % 60)}`;
}

const formats = new Map<string, { time: Intl.DateTimeFormat; date: Intl.DateTimeFormat }>();

/** Making one costs more than all else that a row of the list does. */
function formatsOf(language: string): { time: Intl.DateTimeFormat; date: Intl.DateTimeFormat } {
  let found = formats.get(language);
  if (!found) {
    const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false } as const;
    const date = { ...time, year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    found = { time: new Intl.DateTimeFormat(language, time), date: new Intl.DateTimeFormat(language, date) };
    formats.set(language, found);
  }
  return found;
}

/** The time of day, with the date where that is not today's. */
export function when(at: number | string, language: string): string {
  const date = new Date(at);
  const isToday = new Date(nowMs()).toDateString() === date.toDateString();
  return formatsOf(language)[isToday ? 'time' : 'date'].format(date);
}
