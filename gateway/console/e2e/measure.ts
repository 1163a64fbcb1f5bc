// How the console carries a district's load: 10,000 open tickets scrolled and worked, 23,000 sources on the map. Prints figures and
// expects nothing of them; each is of one browser on this machine, in software rendering where there is no GPU.
import { test } from 'vitest';
import { FIRST_LOAD, type FirstLoad, Tab } from './browser';
import { HOTLINE } from './district';
import { Gateway } from './gateway';
import { start } from './sensors';

const TICKETS = 10_000;
/** As the intake takes at once. */
const BATCH = 500;
const SOURCES = 23_000;
const FRAMES = 600;
const SCROLL_PX = 310;
const ACTIONS = 30;
const PANS = 120;

const STORMS = `
[desk.storm]
n = 10000
within = "1s"
${HOTLINE}`;

/** Opened for the first time, once for each. */
const LOADS = 20;

/** Spread over some 40 by 40 km, without chance: the same in each run. */
function place(i: number): [lon: number, lat: number] {
  return [105.9 + ((i * 7919) % 4000) / 10_000, 29.7 + ((i * 104_729) % 4000) / 10_000];
}

function say(what: string, figures: Record<string, number | string>): void {
  const texts = Object.entries(figures).map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toFixed(1)) : value}`);
  console.log(`${what}: ${texts.join(', ')}`);
}

function spread(values: number[]): Record<string, number> {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? NaN;
  return { n: sorted.length, 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'p99 ms': at(0.99), 'max ms': sorted.at(-1) ?? NaN };
}

/** Milliseconds between the frames while something is moved with each. */
const framesOf = (step: string, n: number) => `new Promise(done => {
  const times = []; let last;
  const frame = now => {
    if (last !== undefined) times.push(now - last);
    last = now;
    if (times.length >= ${n}) { done(times); return; }
    const i = times.length; ${step};
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

test('the first load', async () => {
  const gateway = await Gateway.run({ 'district.toml': STORMS });
  await gateway.post('intake/hotline', { rows: [{ no: 'R-0', title: '路面坑洼', lon: 106, lat: 29.8 }] });
  const [loaded, shown]: number[][] = [[], []];
  let kB = 0;
  for (let n = 0; n < LOADS; n++) {
    const tab = await Tab.open(`${gateway.url}?map=0`);
    await tab.until("document.querySelector('[role=option][data-no]') !== null");
    const { bytes, ms } = (await tab.page.evaluate(FIRST_LOAD)) as FirstLoad;
    kB = bytes / 1000;
    loaded!.push(ms);
    shown!.push((await tab.page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime')) as number);
    await tab.close();
  }
  say('first load without the map', { kB });
  say('to its last file', spread(loaded!));
  say('to what is seen first', spread(shown!));
  await gateway.close();
});

test(`${TICKETS} open tickets`, async () => {
  const gateway = await Gateway.run({ 'district.toml': STORMS });
  for (let from = 0; from < TICKETS; from += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, i) => ({ no: `R-${from + i}`, title: `路面坑洼 ${from + i}`, lon: place(from + i)[0], lat: place(from + i)[1] }));
    await gateway.post('intake/hotline', { rows });
  }
  const tab = await Tab.open(`${gateway.url}?map=0`);
  const { page } = tab;
  await tab.until(`document.querySelector('[role=option][data-no]')?.ariaSetSize === '${TICKETS}'`);
  say('to the last of the list', { ms: (await page.evaluate('performance.now()')) as number });
  say('frames at rest', spread((await page.evaluate(framesOf('', FRAMES / 4))) as number[]));
  const box = "document.querySelector('.list')";
  say('frames while scrolling', spread((await page.evaluate(framesOf(`${box}.scrollTop += ${SCROLL_PX}`, FRAMES))) as number[]));
  await page.evaluate(`${box}.scrollTop = 0`);
  // From the key to the stage that the gateway confirmed, drawn.
  const latencies: number[] = [];
  const shown: number[] = [];
  for (let n = 0; n < ACTIONS; n++) {
    await page.keyboard.press('j');
    await page.locator('.detail .journal li').first().waitFor();
    const watched = page.evaluate(`new Promise(done => {
      let begun, asked;
      addEventListener('keydown', () => { begun = performance.now(); }, { capture: true, once: true });
      const look = () => {
        if (begun !== undefined && asked === undefined && document.querySelector('.moves').ariaBusy === 'true') asked = performance.now() - begun;
        if (begun !== undefined && document.querySelector('.detail').dataset.stage === 'accepted') done([asked, performance.now() - begun]);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    })`) as Promise<[number, number]>;
    await page.evaluate('new Promise(requestAnimationFrame)');
    await page.keyboard.press('a');
    const [asked, confirmed] = await watched;
    shown.push(asked ?? confirmed);
    latencies.push(confirmed);
  }
  say('from the key to "asked"', spread(shown));
  say('from the key to the stage that is confirmed', spread(latencies));
  await tab.close();
  await gateway.close();
});

test(`${SOURCES} sources on the map`, async () => {
  const gateway = await start(SOURCES, place);
  const beganMs = performance.now();
  const bytes = (await (await fetch(`${gateway.url}api/v1/sources`)).arrayBuffer()).byteLength;
  say('GET /sources', { ms: performance.now() - beganMs, MB: bytes / 1e6 });
  const tab = await Tab.open(gateway.url);
  const { page } = tab;
  await page.locator(`div.map[data-drawn=true][data-sources="${SOURCES}"]`).waitFor();
  say('to a map with all sources', { ms: (await page.evaluate('performance.now()')) as number });
  const { x, y, width, height } = (await page.locator('div.map').boundingBox())!;
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  const frames = page.evaluate(framesOf('', PANS)) as Promise<number[]>;
  for (let i = 0; i < PANS / 2; i++) await page.mouse.move(x + width / 2 + (i % 2 ? 60 : -60), y + height / 2 + i);
  await page.mouse.up();
  say('frames while the map is dragged', spread(await frames));
  await tab.close();
  await gateway.close();
});
