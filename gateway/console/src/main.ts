// Starts the console: state that follows the address, the stream, the page.
import { createApp } from 'vue';
import App from './App.vue';
import * as address from './state/address';
import * as clock from './state/clock';
import * as layout from './state/layout';
import * as live from './state/live';
import * as theme from './state/theme';
import * as words from './words';
import './style.css';

address.follow();
words.follow();
theme.follow();
layout.follow();
clock.start();
live.start();
const app = createApp(App).use(words.i18n);
app.config.errorHandler = cause => {
  live.fault.value = words.t('fault.crash', { detail: String(cause) });
  console.error(cause);
};
app.mount('#console');
