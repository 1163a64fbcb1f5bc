// The gateway's API: requests as they are spelled, answers as they come, problems as errors. Nothing else is asked.
import { address } from './state/address';

/** `application/problem+json`, or that there was no answer at all. */
export class Problem extends Error {
  constructor(readonly status: number, detail: string) {
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
  return answer(url('/api/v1' + path)).then(said => said.text());
}

export function post<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return ask<T>(url('/api/v1' + path), { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask<T>(target: string, init?: RequestInit): Promise<T> {
  return (await (await answer(target, init)).json()) as T;
}

async function answer(target: string, init?: RequestInit): Promise<Response> {
  let said: Response;
  try {
    said = await fetch(target, init);
  } catch (cause) {
    throw new Problem(0, String(cause));
  }
  if (said.ok) return said;
  const problem = (await said.json().catch(() => ({}))) as { detail?: string };
  throw new Problem(said.status, problem.detail ?? said.statusText);
}
