// The file that the gateway writes for integrators: what is in it, and changes of it, each with who and why.
import { ref, shallowRef } from 'vue';
import { get, post, Problem, read, send } from '../api';
import type { Backtest, BacktestDraft, ConfigProblem, Element, Estate, Table } from '../types';
import { doer } from './act';
import type { Drawn } from './estate';

export const estate = shallowRef<Estate>({ annex: null, recent: false, how: null, elements: [] });
/** Why things are changed, as the audit shows it: asked once for what belongs together. */
export const reason = ref('');

export async function loadEstate(): Promise<void> {
  estate.value = await get<Estate>('/estate');
}

export function elementsOf(table: Table): Element[] {
  return estate.value.elements.filter(element => element.table === table);
}

/** What is changed: nothing of that name may be there, or it must be as it was read. */
export type Before = { tag: string } | 'new';

function path(table: Table, id: string): string {
  return `/estate/${table}/${id.split('/').map(encodeURIComponent).join('/')}`;
}

export function readElement(table: Table, id: string): Promise<{ text: string; tag: string }> {
  return read(path(table, id));
}

function conditions(before: Before): Record<string, string> {
  return before === 'new' ? { 'if-none-match': '*' } : { 'if-match': before.tag };
}

/** Warnings of the check; throws where there are errors, or where it is not as it was. */
export async function put(table: Table, id: string, what: string | Drawn, before: Before): Promise<ConfigProblem[]> {
  const [body, kind] = typeof what === 'string' ? [what, 'application/toml'] : [JSON.stringify(what), 'application/geo+json'];
  const said = await send<{ problems: ConfigProblem[] }>('PUT', path(table, id), { by: doer(), reason: reason.value.trim() }, body, { 'content-type': kind, ...conditions(before) });
  await loadEstate();
  return said.problems;
}

export async function remove(table: Table, id: string, tag?: string): Promise<void> {
  await send('DELETE', path(table, id), { by: doer(), reason: reason.value.trim() }, undefined, tag ? conditions({ tag }) : {});
  await loadEstate();
}

/** What the check says of a draft, without anything being done. */
export async function tryOut(table: Table, id: string, text: string): Promise<ConfigProblem[]> {
  try {
    return (await send<{ problems: ConfigProblem[] }>('PUT', path(table, id), { dry_run: 'true' }, text, { 'content-type': 'application/toml' })).problems;
  } catch (cause) {
    if (cause instanceof Problem && cause.more.problems) return cause.more.problems;
    throw cause;
  }
}

/** What drafts would have found in the last minutes. */
export function preview(drafts: BacktestDraft[], minutes: number): Promise<Backtest> {
  return post<Backtest>('/estate/backtest', { drafts, minutes });
}
