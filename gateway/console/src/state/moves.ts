// Which way a move leads, and which one a key means. The table itself is the gateway's; a move that is not named here is
// offered all the same.
import type { Offer } from '../types';

export type Way = 'on' | 'back' | 'beside';

const ON = [
  'acknowledge', 'confirm', 'accept', 'file', 'dispatch', 'sign', 'start', 'feed-back', 'verify', 'close', 'rate', 'archive', 'resume', 'take-up',
];
const BACK = ['reject', 'refuse', 'decline', 'return', 'dispute', 'rework'];

export function wayOf(move: string): Way {
  return ON.includes(move) ? 'on' : BACK.includes(move) ? 'back' : 'beside';
}

export function byWay(offers: Offer[]): Record<Way, Offer[]> {
  const ways: Record<Way, Offer[]> = { on: [], back: [], beside: [] };
  for (const offer of offers) ways[wayOf(offer.move)].push(offer);
  return ways;
}

/** One key, whatever the stage: the first of these that is open. */
const KEYS: Record<string, string[]> = {
  c: ['confirm'],
  a: ON.filter(move => move !== 'dispatch'),
  d: ['dispatch', 'reassign'],
  e: ['escalate'],
  x: ['reject', 'refuse', 'decline', 'return', 'rework'],
};

export function offerOfKey(key: string, offers: Offer[]): Offer | undefined {
  const wanted = KEYS[key] ?? [];
  const found = wanted.map(move => offers.find(offer => offer.move === move));
  return found.find(offer => offer !== undefined);
}

/** What a form has to ask for, in the API's own keys. */
export interface Answers {
  note?: string;
  unit?: string;
  officer?: string;
  before?: string;
  after?: string;
  into?: string;
  centre?: string;
  limit?: string;
  score?: string;
  /** `true`, or nothing. */
  force_majeure?: string;
}

/** The fields of a move: those that it needs, then those that it takes. Officers are not typed but chosen. */
export function fieldsOf(offer: Offer): { key: keyof Answers; isNeeded: boolean }[] {
  const fields = (keys: string[], isNeeded: boolean) =>
    keys.flatMap(key => (key === 'photos' ? ['before', 'after'] : [key])).map(key => ({ key: key as keyof Answers, isNeeded }));
  return [...fields(offer.needs, true), ...fields(offer.takes.filter(key => key !== 'officer'), false)];
}

/** The body of the request; of photos both or none, as the API wants them. */
export function bodyOf(who: string, answers: Answers): Record<string, unknown> {
  const body: Record<string, unknown> = { who };
  for (const [key, text] of Object.entries(answers) as [keyof Answers, string | undefined][]) {
    const said = text?.trim();
    if (!said || key === 'before' || key === 'after') continue;
    if (key === 'force_majeure') body[key] = said === 'true';
    else body[key] = key === 'into' || key === 'score' ? Number(said.replace(/^T-/i, '')) : said;
  }
  const [before, after] = [answers.before?.trim(), answers.after?.trim()];
  if (before && after) body.photos = { before, after };
  return body;
}
