// What the duty officer has at a glance: sources that never spoke, clocks and last pictures of cameras, officers on the map.
import { afterEach, expect, test } from 'vitest';
import { Tab } from './browser';
import { Camera } from './camera';
import { Device } from './device';
import { PUMP, start } from './district';
import { freePort, Gateway } from './gateway';

let gateway: Gateway | undefined;
let tab: Tab | undefined;
let device: Device | undefined;

afterEach(async () => {
  device?.close();
  await tab?.close();
  await gateway?.close();
  [gateway, tab, device] = [undefined, undefined, undefined];
});

interface Audit { audit: { alert: string; what: string; who: string; reason: string }[] }

test('a source that never spoke is listed and on the map; officers are there with the age of their position, on duty only', async () => {
  const district = await start();
  gateway = district.gateway;
  tab = await Tab.open(`${gateway.url}?lang=en`);
  const { page } = tab;
  const shown = (what: string) => page.locator('div.map').getAttribute(`data-${what}`);
  await page.locator('div.map[data-ready=true]').waitFor();
  await expect.poll(() => shown('sources')).toBe('1');
  await page.locator('#who').fill('zhou');
  await page.locator('#who').press('Enter');
  device = await Device.connect(district.port, 'li');
  await device.publish('gps/li', { _type: 'location', lon: PUMP[0], lat: PUMP[1] + 0.002, acc: 5, tst: Math.floor(Date.now() / 1000) });
  await page.locator('[data-officers-shown]').check();
  await expect.poll(() => shown('officers')).toBe('1');
  const asked = () => gateway!.get<Audit>('audit').then(({ audit }) => audit.filter(row => row.what === 'positions'));
  expect((await asked())[0]).toMatchObject({ alert: 'officers', who: 'zhou', reason: 'map of the duty officer' });
  await tab.expectAccessible('officers on the map');
  await tab.show('officers');
  // Off duty they are nowhere, and their terminal does not tell among the sources where they are.
  await gateway.post('officers/li/duty', { by: 'li', on: false });
  await page.locator('[data-officers-shown]').uncheck();
  await expect.poll(() => shown('officers')).toBe('0');
  await page.locator('[data-officers-shown]').check();
  await page.locator('.layer[data-on-duty="1"]').waitFor();
  expect(await shown('officers')).toBe('0');
  await page.locator('[data-view=sources]').click();
  await page.locator('[data-source="machine/pump"]', { hasText: 'never heard' }).waitFor();
  await page.locator('[data-source="gps/li"]', { hasText: 'position of an officer' }).waitFor();
  expect(tab.complaints).toEqual([]);
});

test('where no further source is kept, the table of sources says so', async () => {
  const port = await freePort();
  gateway = await Gateway.run({ 'district.toml': `
[pipeline]
sources_max = 2
[[listeners]]
id = "devices"
listen = "127.0.0.1:${port}"
anonymous = ["#"]
[[feeds]]
id = "gas"
broker = "devices"
topics = ["gas/+"]
format = { kind = "number", metric = "ch4" }
[[sources]]
id = "gas/3"
` });
  tab = await Tab.open(`${gateway.url}?lang=en&view=sources`);
  const { page } = tab;
  await page.locator('[data-source="gas/3"]', { hasText: 'never heard' }).waitFor();
  expect(await page.locator('[data-full]').count()).toBe(0);
  device = await Device.connect(port, 'gas');
  for (const no of [1, 2, 3]) await device.publish(`gas/${no}`, '0.1');
  await page.locator('[data-full]', { hasText: /^The gateway keeps no further source/ }).waitFor();
  expect(tab.complaints).toEqual([]);
});

test.each(['dark', 'light'])('cameras have a clock and, where somebody asks why, the last picture, %s', async theme => {
  gateway = await Gateway.demo();
  tab = await Tab.open(`${gateway.url}?lang=en&view=sources&theme=${theme}`);
  const { page } = tab;
  const hall = page.locator('[data-source="cam:hall"]');
  await hall.getByText('档案室门厅').waitFor();
  await hall.getByText(/^(0|[+−]\d+\.\d\d) s$/).waitFor();
  expect(await page.locator('.thumb').count()).toBe(0);
  await page.locator('[data-pictures]').check();
  await hall.locator('.thumb img').waitFor();
  await tab.until("[...document.querySelectorAll('.thumb img')].every(image => image.complete && image.naturalWidth >= 320)");
  await tab.expectAccessible(`pictures of sources, ${theme}`);
  await tab.show(`sources-${theme}`);
  const { audit } = await gateway.get<Audit>('audit');
  expect(audit.find(row => row.alert === 'cam:hall')).toMatchObject({ what: 'picture', reason: 'overview of the cameras' });
  await hall.locator('.thumb').click();
  // The hall has a mask: it is drawn over pictures, and its stream is withheld.
  await page.locator('dialog[open] .notice', { hasText: 'privacy masks' }).waitFor();
  await page.locator('dialog[open] .live-picture img').waitFor();
  await tab.expectAccessible(`a camera, ${theme}`);
  // The auditor sees who looked, at what, and why.
  await page.locator('dialog[open] .actions button').click();
  await page.locator('[data-view=audit]').click();
  const row = page.locator('main.sheet tbody tr', { hasText: 'overview of the cameras' }).filter({ hasText: 'cam:hall' }).first();
  await expect.poll(async () => (await row.locator('td').allTextContents()).slice(1, 5)).toEqual(['duty officer', 'looked at live picture', 'cam:hall', 'overview of the cameras']);
  await tab.expectAccessible(`audit, ${theme}`);
  expect(tab.complaints.filter(said => !said.includes('status of 403'))).toEqual([]);
});

const plays = '(video => video.readyState >= 2 && video.videoWidth === 320 && !video.paused)(document.querySelector(".live-view video"))';

const CODINGS = ['h264', 'h265', 'mjpeg'] as const;

test('a camera is watched live as it is coded, the look is in the audit, and one that the browser cannot show is shown by its pictures', async () => {
  const cameras = [];
  try {
    for (const coding of CODINGS) cameras.push(await Camera.start(coding));
    gateway = await Gateway.run({ 'district.toml': cameras.map(({ url }, i) => `[[cameras]]\nid = "${CODINGS[i]}"\nurl = "${url}"\n`).join('') });
    tab = await Tab.open(`${gateway.url}?lang=en&view=sources`);
    const { page } = tab;
    for (const id of CODINGS) await page.locator(`[data-source="cam:${id}"]`, { hasText: 'picture' }).waitFor();
    await page.locator('[data-pictures]').check();
    await page.getByPlaceholder('why, for the audit').fill('smoke');
    await page.getByPlaceholder('why, for the audit').press('Enter');
    await page.locator('[data-source="cam:h264"] .thumb').click();
    await tab.until(plays);
    const at = () => page.locator('.live-view video').evaluate(video => (video as HTMLVideoElement).currentTime);
    const begun = await at();
    await expect.poll(at).toBeGreaterThan(begun + 2);
    await page.locator('.live-view', { hasText: /^live$/ }).waitFor();
    await tab.expectAccessible('a camera, live');
    await tab.show('live');
    const { audit } = await gateway.get<Audit>('audit');
    expect(audit.find(row => row.what === 'live')).toMatchObject({ alert: 'cam:h264', reason: 'smoke' });
    expect(tab.complaints).toEqual([]);
    await page.locator('dialog[open] .actions button').click();
    await page.locator('[data-source="cam:mjpeg"] .thumb').click();
    await page.locator('.live-view[data-live=pictures] .live-picture img').waitFor();
    // Debian's Chromium plays no H.265: said in words, and its pictures go on coming.
    expect(await page.evaluate('MediaSource.isTypeSupported(\'video/mp4; codecs="hvc1.1.6.L60.90"\')')).toBe(false);
    await page.locator('dialog[open] .actions button').click();
    await page.locator('[data-source="cam:h265"] .thumb').click();
    await page.locator('.live-view[data-live=pictures] .notice', { hasText: /^The camera sends H\.265, which this browser does not play/ }).waitFor();
    const shown = () => page.locator('.live-view .live-picture img').getAttribute('src');
    await page.locator('.live-view .live-picture img').waitFor();
    await tab.until("document.querySelector('.live-view .live-picture img').naturalWidth === 320");
    const first = await shown();
    await expect.poll(shown, { message: 'the next picture' }).not.toBe(first);
    await tab.show('live-h265');
  } finally {
    for (const camera of cameras) await camera.close();
  }
});

test('the camera of an alert is watched live from its ticket, by a key too, and the look names the ticket', async () => {
  const camera = await Camera.start('h264');
  try {
    gateway = await Gateway.run({ 'district.toml': `
[[cameras]]
id = "yard"
url = "${camera.url}"
zones = [{ id = "all", polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] }]
[[rules]]
id = "someone"
sources = ["cam:yard"]
detect = { kind = "intrusion", zone = "all" }
severity = "severe"
` });
    tab = await Tab.open(`${gateway.url}?lang=en&map=0`);
    const { page } = tab;
    await page.locator('[role=option][data-no="1"]').waitFor();
    await tab.choose(1);
    await page.locator('[data-watch="cam:yard"]').click();
    await tab.until(plays);
    await tab.expectAccessible('a camera, live over its ticket');
    await tab.show('live-ticket');
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    expect(await page.locator('.detail').getAttribute('data-no'), 'only the camera is closed').toBe('1');
    await page.keyboard.press('l');
    await tab.until(plays);
    const { audit } = await gateway.get<Audit>('audit');
    expect(audit.find(row => row.what === 'live')).toMatchObject({ alert: 'cam:yard', reason: 'ticket T-1' });
    expect(tab.complaints).toEqual([]);
  } finally {
    await camera.close();
  }
});
