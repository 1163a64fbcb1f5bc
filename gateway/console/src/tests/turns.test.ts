import { expect, test } from 'vitest';
import { Turns } from '../state/turns';

/** Work that ends when the test says so. */
function held(): { work: () => Promise<string>; end: (said: string) => void; fail: () => void; hasBegun: () => boolean } {
  let begun = false;
  let end!: (said: string) => void, refuse!: (cause: Error) => void;
  const promise = new Promise<string>((resolve, reject) => { [end, refuse] = [resolve, reject]; });
  return { work: () => { begun = true; return promise; }, end, fail: () => refuse(new Error('no')), hasBegun: () => begun };
}

test('no more work is begun than there are turns, and one that fails gives its turn back', async () => {
  const turns = new Turns(2);
  const works = [held(), held(), held(), held()];
  const asked = works.map(({ work }) => turns.take(work));
  await Promise.resolve();
  expect(works.map(one => one.hasBegun())).toEqual([true, true, false, false]);
  works[0]!.fail();
  await expect(asked[0]).rejects.toThrow('no');
  await expect.poll(() => works.map(one => one.hasBegun())).toEqual([true, true, true, false]);
  works[1]!.end('b');
  works[2]!.end('c');
  await expect.poll(() => works[3]!.hasBegun()).toBe(true);
  works[3]!.end('d');
  expect(await Promise.all(asked.slice(1))).toEqual(['b', 'c', 'd']);
});

test('what nobody wants when its turn comes is not begun, and who waits behind it goes on', async () => {
  const turns = new Turns(1);
  const [first, gone, last] = [held(), held(), held()];
  const asked = [turns.take(first.work), turns.take(gone.work, () => false), turns.take(last.work)];
  first.end('a');
  last.end('c');
  expect(await Promise.all(asked)).toEqual(['a', null, 'c']);
  expect(gone.hasBegun()).toBe(false);
});
