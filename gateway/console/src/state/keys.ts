// The keyboard of a duty officer. A key in a field is a letter; one with Ctrl or Alt is the browser's.
import { address } from './address';
import { begin, quickly, undo } from './act';
import { ticket } from './detail';
import { toggleMap } from './layout';
import { offerOfKey } from './moves';
import { choose, sending } from './suggest';
import { shown } from './tickets';

export interface Keys {
  find(): void;
  help(): void;
  sound(): void;
  list(): void;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null;
}

/** The ticket beside the chosen one; the first where none is chosen. */
export function step(by: 1 | -1): void {
  const rows = shown.value;
  const at = rows.findIndex(row => row.no === address.ticket);
  const next = at < 0 ? rows[0] : rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  if (next) address.ticket = next.no;
}

export function listen(keys: Keys): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') {
      // From a field to the list, from the list to no ticket.
      if (isTyping(event.target)) keys.list();
      else address.ticket = null;
      return;
    }
    if (isTyping(event.target)) return;
    if (event.key === '?') keys.help();
    else if (event.key === 's') keys.sound();
    else if (event.key === 'z') {
      if (!undo()) return;
    }
    else if (address.view !== 'tickets') return;
    else if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (!(event.target as HTMLElement).closest?.('[role=listbox]')) return;
      step(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === '/') keys.find();
    else if (event.key === 'm') toggleMap();
    else if (event.key === 'l') document.querySelector<HTMLElement>('.detail [data-watch]')?.click();
    else {
      const offer = ticket.value && offerOfKey(event.key, ticket.value.moves);
      if (!offer || !ticket.value) return;
      if (event.key === 'x') quickly(ticket.value, offer);
      else if (offer === sending(ticket.value)) void choose(ticket.value, offer);
      else begin(ticket.value, offer);
    }
    event.preventDefault();
  };
  window.addEventListener('keydown', onKey);
  return () => window.removeEventListener('keydown', onKey);
}
