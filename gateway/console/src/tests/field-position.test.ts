import { nextTick } from 'vue';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const EVERY_MS = 10_000;
const told = vi.hoisted(() => ({ duty: null as unknown as { value: object }, fixes: [] as { lon: number }[] }));
vi.mock('../field/state', async () => {
  const { shallowRef } = await import('vue');
  told.duty = shallowRef({ isOn: false, hasTerminal: true, everyMs: 10_000 });
  return { duty: told.duty, addFix: (fix: { lon: number }) => void told.fixes.push(fix), sendWaiting: () => undefined };
});

/** A phone that lies still: what watches is told once, and what asks is answered. */
function still() {
  const position = { coords: { longitude: 106.5, latitude: 29.6, accuracy: 8 } };
  return { watchPosition: (take: (at: object) => void) => { take(position); return 0; }, getCurrentPosition: (take: (at: object) => void) => { take(position); }, clearWatch: () => undefined };
}

/** As the gateway's word comes with each refresh: another object that says the same. */
function say(isOn: boolean, everyMs = EVERY_MS): Promise<void> {
  told.duty.value = { isOn, hasTerminal: true, everyMs };
  return nextTick();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('navigator', { geolocation: still() });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('where an officer on duty is, is told at once and again and again, however often duty is asked about', async () => {
  const { follow, here } = await import('../field/position');
  follow();
  await vi.advanceTimersByTimeAsync(EVERY_MS);
  expect(told.fixes.length, 'off duty').toBe(0);
  await say(true);
  await vi.advanceTimersByTimeAsync(10);
  expect(told.fixes.length, 'at once').toBe(1);
  for (let s = 0; s < 120; s += 5) {
    await vi.advanceTimersByTimeAsync(5_000);
    await say(true);
  }
  // Every ten seconds asks; what is known for less than fifteen is not told twice.
  expect(told.fixes.length).toBeGreaterThanOrEqual(6);
  expect(told.fixes.length).toBeLessThanOrEqual(13);
  await say(false);
  const before = told.fixes.length;
  await vi.advanceTimersByTimeAsync(6 * EVERY_MS);
  expect(told.fixes.length, 'off duty again').toBe(before);
  expect(here.value).toBeNull();
});
