import { expect, test } from 'vitest';
import { format, parse } from '../state/address';

test('an address is read as it was written, and the usual one is empty', () => {
  for (const search of [
    '', '?ticket=12', '?view=silences', '?find=%E7%81%AB+tower', '?severity=severe&lamp=red', '?sort=due&closed=1', '?view=estate&part=rules', '?map=0&lang=en&theme=light&token=a%26b',
  ]) {
    expect(format(parse(search))).toBe(search);
  }
});

test('what is not understood is as if it were not there', () => {
  for (const search of ['?ticket=0', '?ticket=-1', '?ticket=1e9', '?ticket=9999999999999999', '?view=nothing', '?severity=huge', '?lamp=blue', '?sort=x', '?lang=fr', '?x=1']) {
    expect(format(parse(search)), search).toBe('');
  }
});
