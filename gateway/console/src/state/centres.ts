// How centres are called: asked for once, when the first of them is named.
import { shallowRef } from 'vue';
import { get } from '../api';
import type { Centre } from '../types';

const names = shallowRef(new Map<string, string>());
let asked: Promise<void> | undefined;

/** Its id as long as nobody knows more. */
export function centreName(id: string): string {
  asked ??= get<{ centres: Centre[] }>('/lamps').then(
    ({ centres }) => { names.value = new Map(centres.map(centre => [centre.id, centre.name])); },
    () => { asked = undefined; },
  );
  return names.value.get(id) || id;
}
