// One ticket from its alert to its closing, as a duty officer sees it: real recorded temperatures come in over MQTT, officers tell
// where they are, and Li does the work by phone.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tab } from './browser';
import { Device } from './device';
import { DEGREES_100_M, type District, PUMP, report, start } from './district';

/** Numenta Anomaly Benchmark, a machine's temperature in °F, up to where it is above the rule's limit first. */
const RECORDED = readFileSync(join(import.meta.dirname, '../../../fixtures/demo/machine_temperature.csv'), 'utf8').trim().split('\n').slice(1)
  .map(row => row.split(',')[1]!);
const PHOTO = join(import.meta.dirname, '../public/field-512.png');
const RISING = RECORDED.slice(0, RECORDED.findIndex(value => Number(value) > 102) + 1);

let district: District;
let tab: Tab;
const devices: Device[] = [];

beforeAll(async () => {
  district = await start();
  tab = await Tab.open(`${district.gateway.url}?lang=en`);
});
afterAll(async () => {
  devices.forEach(device => device.close());
  await tab.close();
  await district.gateway.close();
});

async function device(name: string): Promise<Device> {
  const made = await Device.connect(district.port, name);
  devices.push(made);
  return made;
}

async function work(name: string): Promise<void> {
  await tab.page.locator('#who').fill(name);
  await tab.page.locator('#who').press('Enter');
  await tab.page.locator('.list').focus();
}

async function reaches(stage: string): Promise<void> {
  await expect.poll(() => tab.stage()).toBe(stage);
  await tab.page.locator('.moves[aria-busy=false]').waitFor();
}

test('an alert is confirmed, an officer who is near is sent, the work is checked by somebody else, and it is closed', async () => {
  const { page } = tab;
  await page.locator('#link.up').waitFor();
  await page.locator('div.map[data-ready=true]').waitFor();
  await work('zhou');
  // Li is 200 m away, Wu 2 km; ways are longer than that.
  for (const [who, hundreds] of [['li', 2], ['wu', 20]] as const) {
    const at = { _type: 'location', lon: PUMP[0], lat: PUMP[1] + hundreds * DEGREES_100_M, acc: 5, tst: Math.floor(Date.now() / 1000) };
    await (await device(who)).publish(`gps/${who}`, at);
  }
  const pump = await device('pump');
  for (const value of RISING) await pump.publish('machine/pump', value);

  const row = page.locator('[role=option][data-no="1"]');
  await row.waitFor();
  await expect.poll(() => page.locator('div.map').getAttribute('data-tickets')).toBe('1');
  await page.keyboard.press('j');
  await tab.detailOf(1);
  await reaches('suspected');
  await expect.poll(() => page.locator('.line-of [aria-current]').textContent()).toBe('Suspected');
  await expect.poll(() => page.locator('.trace [data-metric=temperature]').getAttribute('data-points')).toBe(String(RISING.length));
  await page.keyboard.press('c');
  await reaches('reported');
  await page.keyboard.press('a');
  await reaches('accepted');
  await page.keyboard.press('a');
  await reaches('filed');

  // Who could go: the nearest first, and one key sends.
  await page.keyboard.press('d');
  await expect.poll(() => page.locator('.suggest [data-officer]').evaluateAll(rows => rows.map(row => (row as HTMLElement).dataset.officer))).toEqual(['li', 'wu']);
  await expect.poll(() => page.locator('.suggest [data-officer=li] .way').textContent()).toMatch(/min, 0\.3 km straight/);
  await tab.expectAccessible('who could go');
  await tab.until("document.activeElement.closest('[data-officer=li]') !== null");
  await page.keyboard.press('Enter');
  await reaches('dispatched');
  await page.locator('.facts', { hasText: '一分队' }).waitFor();
  await page.locator('.facts', { hasText: '东城街道' }).waitFor();
  await page.locator('.facts dt', { hasText: 'To sign' }).waitFor();

  // In the field, on Li's phone.
  const phone = await Tab.open(`${district.gateway.url}field?lang=en`, {
    width: 390, height: 844, device: { isMobile: true, hasTouch: true, geolocation: { longitude: PUMP[0], latitude: PUMP[1] }, permissions: ['geolocation'] },
  });
  const tap = (what: string) => phone.page.locator(what).first().click();
  await tap('[data-officer=li]');
  await tap('[data-tab=tasks]');
  await tap('.task[data-no="1"] [data-move=sign]');
  await reaches('signed');
  await tap('.task[data-stage=signed] [data-move=start]');
  await reaches('handling');
  await phone.page.locator('.task[data-stage=handling]').waitFor();
  for (const [n, kind] of ['before', 'after'].entries()) {
    await phone.page.locator(`[data-file=${kind}]`).setInputFiles(PHOTO);
    await district.gateway.eventually(async () => (await district.gateway.get<{ files: object[] }>('tickets/1')).files.length > n);
  }
  await tap('.task [data-move=feed-back]');
  await phone.page.locator('.said textarea, .said input').first().fill('cooled down');
  await tap('.said [data-do=send]');
  await reaches('fed-back');
  // Who did it does not check it.
  await work('li');
  await page.locator('[data-move=verify]').click();
  await page.locator('#fault', { hasText: 'T-1 Verify' }).waitFor();
  await phone.page.locator('.task').waitFor({ state: 'detached' });
  expect(phone.complaints).toEqual([]);
  await phone.close();
  await work('wang');
  await page.keyboard.press('a');
  await reaches('verified');
  await page.keyboard.press('a');
  await row.waitFor({ state: 'detached' });
  await reaches('closed');
  const { journal } = await district.gateway.get<{ journal: { what: string; who: string }[] }>('tickets/1');
  const moves = journal.map(entry => `${entry.what} ${entry.who}`);
  for (const made of ['confirm zhou', 'accept zhou', 'file zhou', 'dispatch zhou', 'sign li', 'feed-back li', 'verify wang', 'close wang']) expect(moves).toContain(made);
});

test('a rejection with the reason of last time waits some seconds, and is taken back or sent', async () => {
  const { page } = tab;
  await report(district.gateway, 2);
  await page.locator('[role=option][data-no="3"]').waitFor();
  await work('zhou');
  await tab.choose(2);
  // The first time a reason has to be chosen.
  await page.keyboard.press('x');
  await page.locator('#ask[open] .chips button').first().click();
  await page.locator('#ask button[type=submit]').click();
  await page.locator('[role=option][data-no="2"]').waitFor({ state: 'detached' });
  await tab.choose(3);
  await page.keyboard.press('x');
  await page.locator('#undo', { hasText: 'animal or plants' }).waitFor();
  await page.keyboard.press('z');
  await page.locator('#undo').waitFor({ state: 'detached' });
  expect(await tab.stage()).toBe('reported');
  await page.keyboard.press('x');
  await page.locator('#undo').waitFor();
  await reaches('refused');
  const { journal } = await district.gateway.get<{ journal: { what: string; note: string }[] }>('tickets/3');
  expect(journal.filter(entry => entry.what === 'refuse').map(entry => entry.note)).toEqual(['animal or plants']);
});

test('what others get of a ticket is shown as fields and as the message', async () => {
  const { page } = tab;
  await page.goto(`${district.gateway.url}?lang=en&ticket=1&map=0`);
  await tab.detailOf(1);
  await page.locator('.cap summary').click();
  await page.locator('.cap dd', { hasText: 'T-1' }).first().waitFor();
  const fields = await page.locator('.cap dl').textContent();
  for (const said of ['Severity', 'Severe', 'Headline', '机组过热', 'Circle']) expect(fields).toContain(said);
  expect(await page.locator('.cap pre').textContent()).toContain('urn:oasis:names:tc:emergency:cap:1.2');
  await tab.expectAccessible('CAP');
});
