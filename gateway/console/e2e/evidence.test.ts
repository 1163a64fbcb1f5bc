// Evidence in the detail: the frames around a thermal moment as they come, and a clip that the browser plays.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Tab } from './browser';
import { Gateway } from './gateway';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');
/** Nothing in it is above 25 °C. */
const COOL = 'FLIR_E40.jpg';
const WARM = 'FLIR_AX8.jpg';

let gateway: Gateway | undefined;
let tab: Tab | undefined;
let folder: string | undefined;

afterEach(async () => {
  await tab?.close();
  await gateway?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
  [gateway, tab, folder] = [undefined, undefined, undefined];
});

test('the frames around the moment of a thermal alert come one after the other, and each can be seen large', async () => {
  // Pictures have no headers: who opens the page with a token sees them with it.
  gateway = await Gateway.run({ token: 'let-me-in', 'district.toml': `
[[sources]]
id = "thermal/yard"
[[rules]]
id = "fire"
sources = ["thermal/+"]
detect = { kind = "hotspot", above = 25.0 }
severity = "severe"
` });
  tab = await Tab.open(gateway.page());
  const { page } = tab;
  await page.locator('#link.up').waitFor();
  for (const picture of [COOL, WARM, WARM]) await gateway.upload('frames/thermal/yard', readFileSync(join(FIXTURES, 'thermal', picture)));
  await tab.choose(1);
  await tab.until("(shown => shown.length === 3 && shown.every(image => image.naturalWidth > 0))([...document.querySelectorAll('.strip img')])");
  const captions = await page.locator('.strip button').allTextContents();
  expect(captions.map(caption => caption.trim().split(' · ')[0])).toEqual(['before', 'at the moment', 'after']);
  // The moment itself is large, with the scale that the gateway drew beside it; another one is when it is chosen.
  const large = page.locator('.evidence .large');
  await expect.poll(() => large.locator('figcaption').textContent()).toMatch(/^at the moment/);
  await page.locator('.strip [data-role=before]').click();
  await expect.poll(() => large.locator('figcaption').textContent()).toMatch(/^before/);
  expect(await large.locator('img').evaluate(image => (image as HTMLImageElement).getBoundingClientRect().height)).toBeGreaterThanOrEqual(180);
  await tab.expectAccessible('thermal pictures');
  expect(tab.complaints).toEqual([]);
});

test('the clip of an alert is played to its end', async () => {
  folder = mkdtempSync(join(tmpdir(), 'outpost-film-'));
  const film = join(folder, 'visitors.mp4');
  execFileSync('ffmpeg', ['-v', 'error', '-r', '10', '-i', join(FIXTURES, 'video/visitors.h264'), '-c', 'copy', film]);
  gateway = await Gateway.run({ 'district.toml': `
[video]
files = true
[[cameras]]
id = "hall"
url = "file://${film}"
zones = [{ id = "floor", polygon = [[0.0, 0.58], [1.0, 0.58], [1.0, 1.0], [0.0, 1.0]] }]
clip = { before = "2s", after = "2s" }
[[rules]]
id = "visitor"
sources = ["cam:*"]
detect = { kind = "intrusion", zone = "floor" }
severity = "severe"
` });
  const running = gateway;
  interface Alerts { alerts: { id: string; clip: string | null }[] }
  await running.eventually(async () => (await running.get<Alerts>('alerts')).alerts.some(alert => alert.clip !== null));
  const { alerts } = await running.get<Alerts>('alerts');
  const { id } = alerts.find(alert => alert.clip !== null)!;
  const { tickets } = await running.get<{ tickets: { no: number; alert: string }[] }>('tickets');
  const { no } = tickets.find(ticket => ticket.alert === id)!;
  tab = await Tab.open(`${running.url}?map=0&ticket=${no}`);
  const { page } = tab;
  await page.locator('.detail [data-move=clip]').click();
  await page.locator('#clip').waitFor();
  const ofClip = (what: string) => page.evaluate(`document.getElementById('clip').${what}`);
  await tab.until("(clip => clip.currentTime > 0.2 && clip.videoWidth === 640)(document.getElementById('clip'))");
  expect(await ofClip('error')).toBe(null);
  const lengthS = (await ofClip('duration')) as number;
  expect(lengthS).toBeGreaterThan(2);
  expect(lengthS).toBeLessThan(12);
  await page.evaluate(`void (document.getElementById('clip').currentTime = ${lengthS - 0.6})`);
  await tab.until("document.getElementById('clip').ended");
  const { audit } = await running.get<{ audit: { what: string }[] }>(`audit?alert=${id}`);
  expect(audit.map(row => row.what)).toContain('clip');
  expect(tab.complaints).toEqual([]);
});
