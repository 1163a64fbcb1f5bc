import { expect, test } from 'vitest';
import { AGE_MAX_MS, type Deed, type Entry, FIXES_MAX, isRefusal, Queue, type Result, type Shelf, TOO_OLD, waitMs } from '../field/queue';

/** A phone that may be switched off between any two steps: what it keeps is copied. */
class Phone implements Shelf {
  readonly rows = new Map<number, Entry>();
  private last = 0;

  all = async (): Promise<Entry[]> => structuredClone([...this.rows.values()].sort((a, b) => a.seq - b.seq));
  add = async (entry: Omit<Entry, 'seq'>): Promise<Entry> => {
    const seq = ++this.last;
    this.rows.set(seq, structuredClone({ ...entry, seq }));
    return { ...entry, seq };
  };
  put = async (entry: Entry): Promise<void> => void this.rows.set(entry.seq, structuredClone(entry));
  drop = async (seq: number): Promise<void> => void this.rows.delete(seq);
}

/** A gateway that answers as a test says; by default it takes everything. */
class Gateway {
  readonly told: string[] = [];
  readonly done = new Map<string, Result>();
  answers: (number | undefined)[] = [];

  send = async (entry: Entry, resultOf: (key: string) => Result): Promise<Result> => {
    const status = this.answers.shift();
    const { deed } = entry;
    const photos = deed.do === 'move' && deed.photos ? ` ${resultOf(deed.photos.before).url} ${resultOf(deed.photos.after).url}` : '';
    const of = deed.do === 'file' && deed.ticket === null ? ` T-${resultOf(deed.report!).ticket}` : '';
    this.told.push(`${entry.key}${photos}${of}`);
    if (status !== undefined) throw { status, message: `answer ${status}` };
    const result = deed.do === 'report' ? { ticket: 40 } : deed.do === 'file' ? { url: `/files/${entry.key}` } : {};
    this.done.set(entry.key, result);
    return result;
  };
}

const sign = (ticket: number): Deed => ({ do: 'move', ticket, move: 'sign', said: {} });
const file = (ticket: number | null, report?: string): Deed => ({ do: 'file', ticket, report, kind: 'before', blob: new Blob(['jpeg']) });

function world() {
  const [phone, gateway, clock] = [new Phone(), new Gateway(), { ms: 1_000_000 }];
  const start = () => new Queue(phone, gateway.send, () => clock.ms, () => {});
  return { phone, gateway, clock, start, queue: start() };
}

test('what is done without network is told later, in order, under the keys that it had', async () => {
  const { phone, gateway, clock, queue, start } = world();
  gateway.answers = [0];
  await queue.add('a', 'li', 'T-1', sign(1));
  await queue.run();
  await queue.add('b', 'li', 'T-2', sign(2));
  await queue.run();
  expect(gateway.told, 'it rests after a failure').toEqual(['a']);
  // The page is closed and opened again.
  const later = start();
  await later.load();
  expect(later.waiting().map(entry => entry.key)).toEqual(['a', 'b']);
  clock.ms += 60_000;
  await later.run();
  expect(gateway.told).toEqual(['a', 'a', 'b']);
  expect([phone.rows.size, later.restMs()]).toEqual([0, null]);
});

test('it comes again more and more seldom, and at once when there is a network', async () => {
  expect([1, 2, 3, 7, 50].map(waitMs)).toEqual([1_000, 2_000, 4_000, 60_000, 60_000]);
  const { gateway, clock, queue } = world();
  gateway.answers = [0, 503];
  await queue.add('a', 'li', 'T-1', sign(1));
  await queue.run();
  expect(queue.restMs()).toBe(1_000);
  clock.ms += 1_000;
  await queue.run();
  expect([queue.restMs(), gateway.told.length]).toEqual([2_000, 2]);
  queue.wake();
  await queue.run();
  expect(gateway.done.has('a')).toBe(true);
});

test('only an answer that stays the same is a refusal', () => {
  const refused = [0, 400, 401, 403, 404, 408, 409, 413, 415, 422, 425, 429, 500, 503, 507].filter(isRefusal);
  expect(refused).toEqual([400, 403, 404, 409, 413, 415, 422]);
});

test('a refusal is shown at its entry and holds back its own ticket only', async () => {
  const { gateway, queue } = world();
  gateway.answers = [409];
  for (const [key, no] of [['a', 1], ['b', 1], ['c', 2]] as const) await queue.add(key, 'li', `T-${no}`, sign(no));
  await queue.run();
  expect(gateway.told).toEqual(['a', 'c']);
  expect(queue.refused().map(entry => [entry.key, entry.refusal])).toEqual([['a', 'answer 409']]);
  expect(queue.waiting().map(entry => entry.key)).toEqual(['b']);
  expect(queue.restMs(), 'nothing to come again for').toBe(null);
  await queue.giveUp(queue.refused()[0]!.seq);
  await queue.run();
  expect(gateway.told).toEqual(['a', 'c', 'b']);
});

test('what was refused may be tried again, under a new key', async () => {
  const { gateway, queue } = world();
  gateway.answers = [403];
  await queue.add('r', 'li', 'report:r', { do: 'report', body: {} });
  await queue.add('f', 'li', 'report:r', file(null, 'r'), ['r']);
  await queue.run();
  await queue.again(queue.refused()[0]!.seq, 'r2');
  await queue.run();
  expect(gateway.told).toEqual(['r', 'r2', 'f T-40']);
});

test('photos are told before the move that names them, by where they went', async () => {
  const { phone, gateway, queue } = world();
  await queue.add('before', 'li', 'T-1', file(1));
  await queue.add('after', 'li', 'T-1', file(1));
  await queue.add('done', 'li', 'T-1', { do: 'move', ticket: 1, move: 'feed-back', said: {}, photos: { before: 'before', after: 'after' } }, ['before', 'after']);
  await queue.run();
  expect(gateway.told).toEqual(['before', 'after', 'done /files/before /files/after']);
  // What is done takes no room, and is known as long as its task is in sight.
  expect([...phone.rows.values()].map(({ deed }) => deed.do === 'file' && deed.blob)).toEqual([null, null]);
  await queue.tidy(subject => subject === 'T-1');
  expect(phone.rows.size).toBe(2);
  await queue.tidy(() => false);
  expect(phone.rows.size).toBe(0);
});

test('what needs a refused entry waits for it, and goes with it', async () => {
  const { phone, gateway, queue } = world();
  gateway.answers = [413];
  await queue.add('before', 'li', 'T-1', file(1));
  await queue.add('done', 'li', 'T-2', { do: 'move', ticket: 2, move: 'solve', said: {}, photos: { before: 'before', after: 'before' } }, ['before']);
  await queue.run();
  expect([gateway.told, queue.waiting().length]).toEqual([['before'], 1]);
  await queue.giveUp(queue.refused()[0]!.seq);
  expect(phone.rows.size).toBe(0);
});

test('a phone that dies while it sends tells the same again', async () => {
  const { phone, gateway, start, queue } = world();
  await queue.add('a', 'li', 'T-1', sign(1));
  // The answer never comes to this page.
  const dying = new Queue(phone, entry => { void gateway.send(entry, () => ({})); return new Promise(() => {}); }, () => 1, () => {});
  await dying.load();
  void dying.run();
  await expect.poll(() => gateway.told.length).toBe(1);
  const next = start();
  await next.load();
  await next.run();
  expect(gateway.told).toEqual(['a', 'a']);
});

test('positions of one trip are one request until it was tried, and no longer than the gateway takes', async () => {
  const { phone, gateway, clock, queue } = world();
  const fix = (at: string) => ({ lon: 106, lat: 29, accuracy_m: 5, at });
  await queue.addFix('a', 'li', fix('1'));
  await queue.addFix('b', 'li', fix('2'));
  expect(phone.rows.size).toBe(1);
  gateway.answers = [0];
  await queue.run();
  await queue.addFix('c', 'li', fix('3'));
  const fixes = queue.waiting().map(({ deed }) => deed.do === 'positions' && deed.fixes.map(fix => fix.at));
  expect(fixes, 'what was tried does not change').toEqual([['1', '2'], ['3']]);
  for (let n = 0; n < FIXES_MAX; n++) await queue.addFix(`d${n}`, 'li', fix('4'));
  expect(queue.waiting().length).toBe(3);
  await queue.addFix('other', 'wu', fix('5'));
  expect(queue.waiting().at(-1)?.who, 'somebody else holds the phone now').toBe('wu');
  clock.ms += 60_000;
  await queue.run();
  expect(queue.waiting()).toEqual([]);
});

test('what waited longer than keys are remembered is not told by itself', async () => {
  const { gateway, clock, queue } = world();
  await queue.add('a', 'li', 'T-1', sign(1));
  clock.ms += AGE_MAX_MS + 1;
  await queue.run();
  expect([gateway.told, queue.refused()[0]?.refusal]).toEqual([[], TOO_OLD]);
});
