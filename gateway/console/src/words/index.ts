// Which language the page speaks: the address says it, or else what was chosen here last, or else the browser.
import { computed, watchEffect } from 'vue';
import { createI18n } from 'vue-i18n';
import { address, type Language } from '../state/address';
import { keep, recall } from '../state/memory';
import { en } from './en';
import { zh } from './zh';

export const i18n = createI18n({ legacy: false, locale: 'zh', fallbackLocale: 'zh', messages: { zh, en } });
export const { t, te } = i18n.global;

function preferred(): Language {
  const kept = recall('lang');
  if (kept === 'zh' || kept === 'en') return kept;
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}

const chosen = computed<Language>(() => address.lang ?? preferred());

export function language(): Language {
  return i18n.global.locale.value;
}

/** As browsers want it, for dates and for `lang`. */
export function locale(): string {
  return language() === 'zh' ? 'zh-CN' : 'en';
}

export function choose(language: Language): void {
  keep('lang', language);
  address.lang = language;
}

export function follow(): void {
  watchEffect(() => {
    i18n.global.locale.value = chosen.value;
    document.documentElement.lang = locale();
    document.title = `${t('app.title')} ${t('app.subtitle')}`;
  });
}
