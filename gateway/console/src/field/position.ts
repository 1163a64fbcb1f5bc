// Where the phone is: read only while its officer says to be on duty, or once when they report something.
import { ref, watch } from 'vue';
import { nowMs } from '../state/clock';
import type { Spot } from './geo';
import { addFix, duty, sendWaiting } from './state';

export interface Here extends Spot {
  accuracyM: number;
  atMs: number;
}

const TIMEOUT_MS = 20_000;
/** A position this old is as good as a new one for a report. */
const AGE_MAX_MS = 15_000;
const OPTIONS = { enableHighAccuracy: true, timeout: TIMEOUT_MS, maximumAge: AGE_MAX_MS };

export const here = ref<Here | null>(null);
/** `denied`, or `unavailable`; empty where it works. */
export const trouble = ref<'' | 'denied' | 'unavailable'>('');

function take({ coords }: GeolocationPosition): Here {
  trouble.value = '';
  // By the gateway's clock: phones' own are often wrong.
  here.value = { lon: coords.longitude, lat: coords.latitude, accuracyM: coords.accuracy, atMs: nowMs() };
  return here.value;
}

function fail(cause: GeolocationPositionError): void {
  trouble.value = cause.code === cause.PERMISSION_DENIED ? 'denied' : 'unavailable';
}

/** Once; null where the phone does not say. */
export function once(): Promise<Here | null> {
  if (here.value && nowMs() - here.value.atMs < AGE_MAX_MS) return Promise.resolve(here.value);
  if (!navigator.geolocation) return Promise.resolve(null);
  return new Promise(resolve => {
    navigator.geolocation.getCurrentPosition(position => resolve(take(position)), cause => {
      fail(cause);
      resolve(null);
    }, OPTIONS);
  });
}

/** Follows the duty switch for as long as the page is there. */
export function follow(): void {
  let watched: number | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  let sentMs = 0;
  // A phone that lies still is asked: it says nothing by itself, and is not lost.
  const tell = async () => {
    const at = await once();
    if (!at || at.atMs === sentMs || watched === null) return;
    sentMs = at.atMs;
    await addFix({ lon: at.lon, lat: at.lat, accuracy_m: at.accuracyM, at: new Date(at.atMs).toISOString() });
    void sendWaiting();
  };
  // Each by itself: what is asked again and comes out the same must not begin the wait anew.
  watch([() => duty.value.isOn && duty.value.hasTerminal, () => duty.value.everyMs], ([isOn, everyMs]) => {
    if (watched !== null) navigator.geolocation.clearWatch(watched);
    clearInterval(timer);
    watched = null;
    if (!isOn) {
      here.value = null;
      return;
    }
    if (!navigator.geolocation) {
      trouble.value = 'unavailable';
      return;
    }
    watched = navigator.geolocation.watchPosition(take, fail, OPTIONS);
    timer = setInterval(() => void tell(), everyMs);
    void tell();
  }, { immediate: true });
}
