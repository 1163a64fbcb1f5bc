// Where officers on duty are, while somebody wants to see it: who asks is in the audit.
import { ref, shallowRef, watch } from 'vue';
import { get } from '../api';
import { t } from '../words';
import type { OfficersAnswer } from '../types';
import { doer, explain } from './act';
import { fault } from './live';

export type Officer = OfficersAnswer['officers'][number];

const EVERY_MS = 15_000;

/** Those on duty, as they were told last. */
export const onDuty = shallowRef<Officer[]>([]);
export const isShown = ref(false);

let timer: ReturnType<typeof setTimeout> | undefined;

async function load(): Promise<void> {
  try {
    // A tab that nobody sees asks for nothing.
    if (document.visibilityState === 'visible') {
      const { officers } = await get<OfficersAnswer>('/officers', { who: doer(), reason: t('map.officersReason') });
      if (!isShown.value) return;
      onDuty.value = officers.filter(officer => officer.on_duty);
    }
  } catch (cause) {
    isShown.value = false;
    fault.value = explain(cause, t('map.officers'));
  }
  if (isShown.value) timer = setTimeout(() => void load(), EVERY_MS);
}

watch(isShown, isWanted => {
  clearTimeout(timer);
  onDuty.value = [];
  if (isWanted) void load();
});
