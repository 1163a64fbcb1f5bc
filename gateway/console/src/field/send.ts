// How an entry of the queue is told to the gateway: the same bytes each time, under the same key.
import { ask, url } from '../api';
import type { Ticket } from '../types';
import type { Entry, Result, Send } from './queue';

/** A request that takes longer is tried again; a photo over a bad line takes its time. */
const TIMEOUT_MS = 90_000;

function post<T>(entry: Entry, path: string, query: Record<string, string | undefined>, body: Blob | object): Promise<T> {
  const headers: Record<string, string> = { 'idempotency-key': entry.key };
  const isFile = body instanceof Blob;
  headers['content-type'] = isFile ? 'application/octet-stream' : 'application/json';
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return ask<T>(url('/api/v1' + path, query), { method: 'POST', headers, body: isFile ? body : JSON.stringify(body), signal });
}

export const send: Send = async (entry, resultOf): Promise<Result> => {
  const { deed, who } = entry;
  const at = new Date(entry.atMs).toISOString();
  const officer = `/officers/${encodeURIComponent(who)}`;
  switch (deed.do) {
    case 'move': {
      const photos = deed.photos && { before: resultOf(deed.photos.before).url, after: resultOf(deed.photos.after).url };
      await post(entry, `/tickets/${deed.ticket}/${deed.move}`, {}, { who, ...deed.said, ...(photos && { photos }), done_at: at });
      return {};
    }
    case 'file': {
      const ticket = deed.ticket ?? resultOf(deed.report ?? '').ticket;
      const query = { kind: deed.kind, by: who, at };
      const said = await post<{ file: { url: string | null } }>(entry, `/tickets/${ticket}/files`, query, deed.blob ?? new Blob());
      return { url: said.file.url ?? undefined };
    }
    case 'report': {
      const said = await post<{ ticket: Ticket }>(entry, '/tickets', {}, { ...deed.body, by: who });
      return { ticket: said.ticket.no };
    }
    case 'positions':
      await post(entry, `${officer}/positions`, {}, { by: who, fixes: deed.fixes });
      return {};
    case 'duty':
      await post(entry, `${officer}/duty`, {}, { on: deed.on, by: who });
      return {};
  }
};
