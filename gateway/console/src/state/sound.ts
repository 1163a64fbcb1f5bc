// A tone for what nobody has taken yet, by severity: it follows the filter, comes again until the ticket is accepted,
// and is drawn by the browser (Web Audio): no files. Off until somebody turns it on, as browsers want it.
import { computed, ref, watch } from 'vue';
import type { Severity, Ticket } from '../types';
import { address } from './address';
import { nowMs } from './clock';
import { onTold } from './live';
import { matches, set, SEVERITIES } from './tickets';

interface Tone {
  /** Hertz, one beep each. */
  beeps: number[];
  everyMs: number;
}

const TONES: Record<Severity, Tone> = {
  minor: { beeps: [520], everyMs: 30_000 },
  moderate: { beeps: [620, 620], everyMs: 15_000 },
  severe: { beeps: [760, 620, 760], everyMs: 8_000 },
  extreme: { beeps: [980, 740, 980, 740], everyMs: 4_000 },
};
const BEEP_S = 0.14;
const GAP_S = 0.06;
const LOUDNESS = 0.12;
const TICK_MS = 500;

export const isOn = ref(false);
/** What rang and was not taken yet, by number. */
const unheard = ref(new Set<number>());
let context: AudioContext | null = null;
let nextMs = 0;

/** Nobody has begun with it. */
export function isUntaken(ticket: Ticket | undefined): ticket is Ticket {
  return ticket !== undefined && ticket.open && ['suspected', 'reported'].includes(ticket.stage);
}

/** The worst that rings: what is filtered out, taken or gone does not. */
export function worst(tickets: Iterable<Ticket | undefined>, atMs: number): Ticket | null {
  let found: Ticket | null = null;
  for (const ticket of tickets) {
    if (!isUntaken(ticket) || !matches(ticket, address, atMs)) continue;
    if (!found || SEVERITIES.indexOf(ticket.severity) > SEVERITIES.indexOf(found.severity)) found = ticket;
  }
  return found;
}

const ringing = computed(() => (isOn.value ? worst([...unheard.value].map(no => set.value.byNo.get(no)), nowMs()) : null));
export const isRinging = computed(() => ringing.value !== null);

function beep(): void {
  const ticket = ringing.value;
  if (!ticket || !context || performance.now() < nextMs) return;
  const tone = TONES[ticket.severity];
  nextMs = performance.now() + tone.everyMs;
  let at = context.currentTime;
  for (const hertz of tone.beeps) {
    const [voice, loudness] = [context.createOscillator(), context.createGain()];
    voice.frequency.value = hertz;
    // Without a ramp a beep begins and ends with a click.
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(LOUDNESS, at + 0.01);
    loudness.gain.setValueAtTime(LOUDNESS, at + BEEP_S - 0.02);
    loudness.gain.linearRampToValueAtTime(0, at + BEEP_S);
    voice.connect(loudness).connect(context.destination);
    voice.start(at);
    voice.stop(at + BEEP_S);
    at += BEEP_S + GAP_S;
  }
}

export function toggle(): void {
  isOn.value = !isOn.value;
  if (!isOn.value) unheard.value.clear();
  else {
    context ??= new AudioContext();
    void context.resume();
  }
}

export function follow(): void {
  onTold(told => {
    if (!isOn.value || !['opened', 'emergency'].includes(told.what)) return;
    unheard.value.add(told.ticket.no);
  });
  // What was taken, by whomever, does not ring again when it comes back to its first stage.
  watch(set, () => {
    for (const no of unheard.value) if (!isUntaken(set.value.byNo.get(no))) unheard.value.delete(no);
  });
  watch(ringing, (ticket, was) => {
    if (ticket?.severity !== was?.severity) nextMs = 0;
    beep();
  });
  setInterval(beep, TICK_MS);
}
