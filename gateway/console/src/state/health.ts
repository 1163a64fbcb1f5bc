// How sources are: one word for each, which are unwell, and how often they speak.
import type { Source, Ticket } from '../types';

export type SourceState = 'connecting' | 'live' | 'stalled' | 'offline' | 'heard' | 'never';
const CAMERA = 'cam:';
const UNWELL: SourceState[] = ['offline', 'stalled', 'never', 'connecting'];

/** What the gateway tells of itself is no source that somebody registered, and well as long as it is silent. */
export function isRegistered(source: Source): boolean {
  return !source.id.startsWith('outpost:');
}

export function isCamera(source: Source): boolean {
  return source.id.startsWith(CAMERA);
}

/** The camera that a ticket's alert is of, and those whose pictures it has, each once. */
export function camerasOf({ source, pictures }: Ticket): string[] {
  return [...new Set([source, ...pictures.map(picture => picture.source)])].filter(id => id.startsWith(CAMERA));
}

/** A camera's link says it; of others it is known whether they ever spoke. */
export function stateOf(source: Source): SourceState {
  if (source.link) return source.link.state as SourceState;
  return source.last_heard === null ? 'never' : 'heard';
}

/** For colours: well, unwell, or not known yet. */
export type Standing = 'well' | 'unwell' | 'unknown';

export function standingOf(source: Source): Standing {
  const state = stateOf(source);
  if (state === 'never' || state === 'connecting') return 'unknown';
  return state === 'offline' || state === 'stalled' ? 'unwell' : 'well';
}

export function isUnwell(source: Source): boolean {
  return UNWELL.includes(stateOf(source));
}

/** Unwell first, the worst before all; then by name. */
export function compareHealth(a: Source, b: Source): number {
  const rank = (source: Source) => (UNWELL.indexOf(stateOf(source)) + UNWELL.length + 1) % (UNWELL.length + 1);
  return rank(a) - rank(b) || a.id.localeCompare(b.id);
}

/** Observations per minute between what was asked a moment ago and now; null at the first time and after a restart. */
export class Rates {
  private last = new Map<string, { n: number; atMs: number }>();

  take(sources: Source[], atMs: number): Map<string, number | null> {
    const rates = new Map<string, number | null>();
    const next = new Map<string, { n: number; atMs: number }>();
    for (const { id, observations } of sources) {
      const before = this.last.get(id);
      const isLater = before !== undefined && atMs > before.atMs && observations >= before.n;
      rates.set(id, isLater ? ((observations - before.n) * 60_000) / (atMs - before.atMs) : null);
      next.set(id, { n: observations, atMs });
    }
    this.last = next;
    return rates;
  }
}
