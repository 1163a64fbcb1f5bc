// Dark or light: the address says it, or what was chosen here last, or the system.
import { computed, ref, watchEffect } from 'vue';
import { address, type Theme } from './address';
import { keep, recall } from './memory';

const isSystemLight = ref(globalThis.matchMedia?.('(prefers-color-scheme: light)').matches ?? false);

export const theme = computed<Theme>(() => {
  const kept = recall('theme');
  if (address.theme) return address.theme;
  if (kept === 'dark' || kept === 'light') return kept;
  return isSystemLight.value ? 'light' : 'dark';
});

export function choose(theme: Theme): void {
  keep('theme', theme);
  address.theme = theme;
}

export function follow(): void {
  const system = matchMedia('(prefers-color-scheme: light)');
  system.addEventListener('change', () => {
    isSystemLight.value = system.matches;
  });
  watchEffect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}
