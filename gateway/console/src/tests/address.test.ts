import { expect, test } from 'vitest';
import { format, parse } from '../state/address';

test('an address is read as it was written, and the usual one is empty', () => {
  for (const search of [
    '', '?ticket=12', '?view=silences', '?find=%E7%81%AB+tower', '?severity=severe&lamp=red', '?sort=due&closed=1', '?map=0&lang=en&theme=light&token=a%26b', '?map=1', '?view=estate&part=rules', '?view=classes&class=3',
    '?view=scores&level=town&from=2026-11-01&to=2026-12-01&score=closed&of=east&count=due_closed',
  ]) {
    expect(format(parse(search))).toBe(search);
  }
});

test('what is not understood is as if it were not there', () => {
  for (const search of ['?ticket=0', '?ticket=-1', '?ticket=1e9', '?ticket=9999999999999999', '?view=nothing', '?severity=huge', '?lamp=blue', '?sort=x', '?lang=fr', '?x=1', '?map=2', '?class=-3', '?level=planet', '?from=2026-13-01', '?to=tomorrow']) {
    expect(format(parse(search)), search).toBe('');
  }
});
