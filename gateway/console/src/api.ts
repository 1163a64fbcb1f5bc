// The gateway's API: requests as they are spelled, answers as they come, problems as errors. Nothing else is asked.
import { address } from './state/address';
import type { ConfigProblem, ImportRow } from './types';

/** `application/problem+json`, or that there was no answer at all. */
export class Problem extends Error {
  /** `more`: what the answer says beyond its detail. */
  constructor(readonly status: number, detail: string, readonly more: { problems?: ConfigProblem[]; rows?: ImportRow[] } = {}) {
    super(detail);
  }

  /** Whether what was asked may have been done: nobody said that it was not. */
  get isUnanswered(): boolean {
    return this.status === 0;
  }
}

/** A page opened with a token asks with it: pictures and the stream have no headers. */
export function url(path: string, query: Record<string, string | number | undefined> = {}): string {
  const pairs = Object.entries({ ...query, token: address.token || undefined });
  const said = pairs.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`]));
  return path + (said.length ? '?' + said.join('&') : '');
}

export function get<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
  return ask<T>(url('/api/v1' + path, query));
}

/** An answer that is no JSON. */
export function getText(path: string): Promise<string> {
  return answered(url('/api/v1' + path)).then(said => said.text());
}

export function post<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return ask<T>(url('/api/v1' + path), { method: 'POST', headers, body: JSON.stringify(body) });
}

/** What is no JSON goes as it is. */
export function send<T>(method: 'PUT' | 'POST' | 'DELETE', path: string, query: Record<string, string | number | undefined>, body?: string, headers: Record<string, string> = {}): Promise<T> {
  return ask<T>(url('/api/v1' + path, query), { method, headers, body });
}

/** A text and its tag, for who changes it and sends it back. */
export async function read(path: string): Promise<{ text: string; tag: string }> {
  const answer = await answered(url('/api/v1' + path));
  return { text: await answer.text(), tag: answer.headers.get('etag') ?? '' };
}

/** Some bytes of a file. */
export async function part(path: string, offset: number, length: number, signal?: AbortSignal): Promise<{ data: ArrayBuffer }> {
  const answer = await answered(url(path), { signal, headers: { range: `bytes=${offset}-${offset + length - 1}` } });
  return { data: await answer.arrayBuffer() };
}

/** What comes for as long as somebody wants it. */
export function streamed(path: string, query: Record<string, string | number | undefined>, signal: AbortSignal): Promise<Response> {
  return answered(url('/api/v1' + path, query), { signal });
}

/** A picture, and when it came. */
export async function picture(path: string, query: Record<string, string | number | undefined>): Promise<{ blob: Blob; at: string }> {
  const answer = await answered(url('/api/v1' + path, query));
  return { blob: await answer.blob(), at: answer.headers.get('x-outpost-at') ?? '' };
}

export async function ask<T>(target: string, init?: RequestInit): Promise<T> {
  return (await (await answered(target, init)).json()) as T;
}

async function answered(target: string, init?: RequestInit): Promise<Response> {
  let said: Response;
  try {
    said = await fetch(target, init);
  } catch (cause) {
    throw new Problem(0, String(cause));
  }
  if (said.ok) return said;
  const problem = (await said.json().catch(() => ({}))) as { detail?: string; problems?: ConfigProblem[]; rows?: ImportRow[] };
  throw new Problem(said.status, problem.detail ?? said.statusText, problem);
}
