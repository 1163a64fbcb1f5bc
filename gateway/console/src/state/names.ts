// How stages, moves and categories are called. Stages and moves are the gateway's: its table has their Chinese names.
import { language, t, te } from '../words';
import { loop } from './live';

/** `fed-back` is "Fed back". */
export function spelled(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1).replaceAll('-', ' ');
}

export function stageName(id: string): string {
  const known = loop.value.stages.find(row => row.stage === id);
  return (language() === 'zh' && known?.zh) || spelled(id);
}

export function moveName(id: string): string {
  const known = loop.value.moves.find(row => row.move === id);
  return (language() === 'zh' && known?.zh) || spelled(id);
}

/** What `counts` of a ticket counts, by the move that does it. */
const COUNTED: Record<string, string> = {
  returned: 'return', reassigned: 'reassign', disputed: 'dispute', extended: 'extend', suspended: 'suspend', reworked: 'rework',
  supervised: 'supervise', escalated: 'escalate',
};

export function countName(counted: string): string {
  return moveName(COUNTED[counted] ?? counted);
}

/** Entries of the journal: moves, and what the gateway writes by itself. */
export function entryName(what: string): string {
  if (loop.value.moves.some(row => row.move === what)) return moveName(what);
  return te(`entry.${what}`) ? t(`entry.${what}`) : spelled(what);
}

/** Stages, and `whole`. */
export function clockName(of: string): string {
  return of === 'whole' ? t('clock.whole') : stageName(of);
}
