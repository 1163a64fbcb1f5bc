// All of the page's state that somebody may want to send, keep or come back to is its address.
import { reactive, watch } from 'vue';

export const VIEWS = ['tickets', 'wall', 'classes', 'scores', 'reports', 'silences', 'sources', 'estate', 'audit'] as const;
export type View = (typeof VIEWS)[number];
/** Of the view `estate`. */
export const PARTS = ['fences', 'cameras', 'rules'] as const;
export type Part = (typeof PARTS)[number];
export const SORTS = ['new', 'due', 'severity'] as const;
export type Sort = (typeof SORTS)[number];
export const LEVELS = ['district', 'town', 'village', 'grid', 'unit', 'officer'] as const;
export const LANGUAGES = ['zh', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
export const THEMES = ['dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

export interface Address {
  view: View;
  /** Number of the ticket that is looked at. */
  ticket: number | null;
  /** Words that all have to be found in a ticket. */
  find: string;
  severity: string;
  lamp: string;
  sort: Sort;
  part: Part;
  closed: boolean;
  /** Null: as the width has room for it. */
  map: boolean | null;
  /** Number of the class case that is looked at. */
  class: number | null;
  /** Whose scores: a level of centres, `unit` or `officer`; and the dates between which. Empty: the usual. */
  level: string;
  from: string;
  to: string;
  /** Of these scores the one that is looked into, of whom, and the count of it whose tickets are listed. */
  score: string;
  of: string;
  count: string;
  /** Null: as the browser, or what was chosen last. */
  lang: Language | null;
  theme: Theme | null;
  token: string;
}

function oneOf<T extends string>(values: readonly T[], text: string | null): T | null {
  return values.find(value => value === text) ?? null;
}

function number(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}

/** A date as 2026-11-01, or nothing. */
function date(text: string | null): string {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : '';
}

/** What is not understood is as if it were not there: an old bookmark still opens the page. */
export function parse(search: string): Address {
  const query = new URLSearchParams(search);
  return {
    view: oneOf(VIEWS, query.get('view')) ?? 'tickets',
    ticket: number(query.get('ticket')),
    find: query.get('find') ?? '',
    severity: oneOf(['minor', 'moderate', 'severe', 'extreme'], query.get('severity')) ?? '',
    lamp: oneOf(['green', 'yellow', 'red', 'off'], query.get('lamp')) ?? '',
    sort: oneOf(SORTS, query.get('sort')) ?? 'new',
    part: oneOf(PARTS, query.get('part')) ?? 'fences',
    closed: query.get('closed') === '1',
    map: query.get('map') === '0' ? false : query.get('map') === '1' ? true : null,
    class: number(query.get('class')),
    level: oneOf(LEVELS, query.get('level')) ?? '',
    from: date(query.get('from')),
    to: date(query.get('to')),
    score: query.get('score') ?? '',
    of: query.get('of') ?? '',
    count: query.get('count') ?? '',
    lang: oneOf(LANGUAGES, query.get('lang')),
    theme: oneOf(THEMES, query.get('theme')),
    token: query.get('token') ?? '',
  };
}

/** The shortest that `parse` reads as the same. */
export function format(address: Address): string {
  const query = new URLSearchParams();
  if (address.view !== 'tickets') query.set('view', address.view);
  if (address.ticket !== null) query.set('ticket', String(address.ticket));
  if (address.find) query.set('find', address.find);
  if (address.severity) query.set('severity', address.severity);
  if (address.lamp) query.set('lamp', address.lamp);
  if (address.sort !== 'new') query.set('sort', address.sort);
  if (address.part !== 'fences') query.set('part', address.part);
  if (address.closed) query.set('closed', '1');
  if (address.map !== null) query.set('map', address.map ? '1' : '0');
  if (address.class !== null) query.set('class', String(address.class));
  for (const key of ['level', 'from', 'to', 'score', 'of', 'count'] as const) if (address[key]) query.set(key, address[key]);
  if (address.lang) query.set('lang', address.lang);
  if (address.theme) query.set('theme', address.theme);
  if (address.token) query.set('token', address.token);
  const text = query.toString();
  return text ? '?' + text : '';
}

export const address = reactive(parse(globalThis.location?.search ?? ''));

/** Keeps the address bar as the state is, and the state as the address bar is. */
export function follow(): void {
  window.addEventListener('popstate', () => Object.assign(address, parse(location.search)));
  watch(address, (_, __) => {
    const search = format(address);
    if (search === location.search) return;
    // Another view or ticket is a step that Back undoes; a letter of a filter is not.
    const was = parse(location.search);
    const isStep = (['view', 'ticket', 'class', 'of', 'score', 'count'] as const).some(key => was[key] !== address[key]);
    history[isStep ? 'pushState' : 'replaceState'](null, '', location.pathname + search);
  });
}
