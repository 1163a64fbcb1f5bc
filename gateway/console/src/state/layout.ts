// What there is room for: the map stands beside the rest on a wide screen, and is shown in place of it where somebody asks.
import { computed, ref } from 'vue';
import { address } from './address';

/** As the style says: below, there is no room for a map beside list and detail. */
const WIDE = '(min-width: 1181px)';

const isWide = ref(globalThis.matchMedia?.(WIDE).matches ?? true);

export const isMapped = computed(() => address.map ?? isWide.value);

export function toggleMap(): void {
  address.map = !isMapped.value;
}

export function follow(): void {
  matchMedia(WIDE).addEventListener('change', event => {
    isWide.value = event.matches;
  });
}
