// Starts the field page: a phone in one hand. None of the map's code comes with it.
import { createApp } from 'vue';
import * as clock from '../state/clock';
import * as theme from '../state/theme';
import * as words from '../words';
import FieldApp from './FieldApp.vue';
import { begin, fault, rememberToken } from './state';
import * as position from './position';
import '../style.css';
import './field.css';

rememberToken();
words.follow();
theme.follow();
clock.start();
const app = createApp(FieldApp).use(words.i18n);
app.config.errorHandler = cause => {
  fault.value = words.t('fault.crash', { detail: String(cause) });
  console.error(cause);
};
app.mount('#field');
position.follow();
begin().catch((cause: unknown) => {
  fault.value = words.t('field.notKept', { detail: String(cause) });
});
// On lines that are not safe there is none: the page then works with network only, and says so.
void navigator.serviceWorker?.register('/field-worker.js', { scope: '/field' });
