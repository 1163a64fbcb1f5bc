// The field page on a phone: what an officer does without network is told once, in order, when there is one again, and the page opens
// without; photos are made smaller and voice notes recorded before they are sent.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Tab } from './browser';
import { Gateway } from './gateway';

const TOKEN = 'let-me-in';
const PHOTO = join(import.meta.dirname, '../public/field-512.png');
const DISTRICT = `
[[rules]]
id = "no-position"
name = "巡查员失联"
sources = ["gps/+"]
detect = { kind = "silent", after = "12h" }
severity = "minor"
category = "patrol/lost"
[[centres]]
id = "district"
level = "district"
[[people]]
id = "desk"
centre = "district"
roles = ["clerk", "chief", "dispatcher", "officer"]
[[people]]
id = "li"
name = "李"
centre = "district"
roles = ["handler"]
unit = "一分队"
terminal = "gps/li"
[[sources]]
id = "gps/li"
`;

interface Told {
  ticket: { stage: string; category: string; source: string; place: { lat: number } };
  journal: { what: string; who: string; note: string }[];
  files: { kind: string; media: string; url: string }[];
}

let gateway: Gateway;
let tab: Tab;
let folder: string;

/** With a centre above Li's. */
const BENEATH = DISTRICT.replace('level = "district"', 'level = "town"\nparent = "city"\nduties = ["#"]').replace('id = "desk"\ncentre = "district"', 'id = "desk"\ncentre = "city"')
  + '\n[[centres]]\nid = "city"\nlevel = "district"\n';

type Moves = [move: string, body: object][];

async function start(district: string, way: Moves = []): Promise<void> {
  gateway = await Gateway.run({ token: TOKEN, 'district.toml': district });
  // One ticket that is given to Li.
  await gateway.post('tickets', { category: 'waste/dumping', words: '建筑垃圾占道', by: 'desk', place: { lon: 106.5, lat: 29.601 } }, 'R-1');
  const moves: Moves = [['accept', {}], ['file', {}], ...way, ['dispatch', { officer: 'li' }]];
  for (const [move, body] of moves) await gateway.post(`tickets/1/${move}`, { who: 'desk', ...body });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outpost-photos-'));
  await start(DISTRICT);
});
afterEach(async () => {
  await tab.close();
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Li's, near the ticket. */
async function phone(locale: 'zh-CN' | 'en-US' = 'en-US'): Promise<void> {
  tab = await Tab.open(`${gateway.url}field?token=${TOKEN}`, {
    locale, width: 390, height: 844, args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    device: { isMobile: true, hasTouch: true, deviceScaleFactor: 2, geolocation: { latitude: 29.6, longitude: 106.5, accuracy: 8 }, permissions: ['geolocation', 'microphone'] },
  });
  await tap('[data-officer=li]');
  await tap('[data-tab=tasks]');
  await tab.page.locator('.task[data-no="1"]').waitFor();
}

async function tap(what: string): Promise<void> {
  await tab.page.locator(what).first().click();
}

/** What the phone's camera would give. */
async function give(kind: string, file = PHOTO): Promise<void> {
  await tab.page.locator(`[data-file=${kind}]`).setInputFiles(file);
}

function network(isThere: boolean): Promise<void> {
  return tab.page.context().setOffline(!isThere);
}

async function waits(atLeast: number): Promise<void> {
  await tab.until(`Number(document.querySelector('#waits [data-n]')?.dataset.n ?? 0) >= ${atLeast}`);
}

function ticket(no: number): Promise<Told> {
  return gateway.get<Told>(`tickets/${no}`);
}

/** Exceptions that nobody caught: without network the browser tells of each request that fails. */
function exceptions(): string[] {
  return tab.complaints.filter(said => !/Failed to load resource|ERR_/.test(said));
}

test('what is done without network is told once and in order', async () => {
  await phone();
  const { page } = tab;
  await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
  await tab.until("caches.match('/field').then(found => found !== undefined)");
  await page.locator('.task .far', { hasText: /^110 m$/ }).waitFor();

  await network(false);
  await gateway.kill();
  await tap('.task [data-move=sign]');
  await waits(1);
  await page.locator('.task[data-stage=signed]').waitFor();
  await tap('.task [data-move=start]');
  await waits(2);
  // Closed and opened again, with no network and nobody at the other end.
  await page.goto(`${gateway.url}field`);
  await page.locator('.task[data-stage=handling]').waitFor();
  await page.locator('#line', { hasText: /^\s*No network\. The tasks are those of/ }).waitFor();
  for (const kind of ['before', 'after']) {
    await give(kind);
    await page.locator(`.queued > [data-file=${kind}]`).waitFor({ state: 'attached' });
  }
  await tab.show('field-handling');
  await tap('.task [data-move=feed-back]');
  await tap('.said .chips button');
  await tap('.said [data-do=send]');
  await waits(5);
  await tap('#waits');
  await expect.poll(() => page.locator('.queue [data-entry=waiting]').count()).toBeGreaterThanOrEqual(5);
  await tab.show('field-offline');

  await gateway.startAgain();
  await network(true);
  await gateway.eventually(async () => (await ticket(1)).ticket.stage === 'fed-back');
  await page.locator('.task').waitFor({ state: 'detached' });
  await page.locator('#waits').waitFor({ state: 'detached' });
  const { journal, files } = await ticket(1);
  expect(journal.filter(entry => entry.who === 'li').map(entry => entry.what)).toEqual(['sign', 'start', 'file-added', 'file-added', 'feed-back']);
  expect(files.map(file => [file.kind, file.media])).toEqual([['before', 'image/jpeg'], ['after', 'image/jpeg']]);
  expect(journal.at(-1)!.note).toContain(`before ${files[0]!.url}, after ${files[1]!.url}: Cleared`);
  expect(exceptions()).toEqual([]);
});

test('a report has its photo, made smaller, a voice note and its place; a refusal is shown where it belongs', async () => {
  await phone();
  const { page } = tab;
  await tap('[data-tab=report]');
  await page.locator('#category option[value="patrol/lost"]').waitFor({ state: 'attached' });
  const large = join(folder, 'large.jpg');
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=3200x2400:rate=1', '-frames:v', '1', large]);
  await give('photo', large);
  await page.locator('[data-files]', { hasText: 'Photos: 1' }).waitFor();
  await page.locator('.report .over', { hasText: 'within about 8 m' }).waitFor();
  await tap('[data-do=record]');
  await page.locator('[data-do=record].recording').waitFor();
  await tap('[data-do=record]');
  await page.locator('[data-files]', { hasText: 'Voice notes: 1' }).waitFor();
  await page.locator('#category').selectOption('patrol/lost');
  await tap('[data-do=report]');
  await page.locator('.sent').waitFor();
  await page.locator('#waits').waitFor({ state: 'detached' });
  const told = await ticket(2);
  expect(told.ticket).toMatchObject({ category: 'patrol/lost', source: 'officer:li', place: { lat: 29.6 } });
  expect(told.files.map(file => [file.kind, file.media.split('/')[0]])).toEqual([['photo', 'image'], ['voice', 'audio']]);
  const size = await page.evaluate(`fetch('${told.files[0]!.url}?token=${TOKEN}').then(said => said.blob()).then(createImageBitmap).then(image => [image.width, image.height])`);
  expect(size).toEqual([1_600, 1_200]);
  const length = await page.evaluate(`fetch('${told.files[1]!.url}?token=${TOKEN}').then(said => said.arrayBuffer()).then(bytes => bytes.byteLength)`);
  expect(length).toBeGreaterThan(100);

  // Given to somebody else meanwhile: the phone learns it where it asks, and goes on with the rest.
  await tap('[data-tab=tasks]');
  await network(false);
  await tap('.task [data-move=sign]');
  await waits(1);
  await gateway.post('tickets/1/recall', { who: 'desk', note: 'not his' });
  await tap('[data-tab=me]');
  await tap('[data-do=duty]');
  await network(true);
  await page.locator('#waits .refused', { hasText: /^1 not accepted$/ }).waitFor();
  await gateway.eventually(async () => !(await gateway.get<{ on_duty: boolean }>('officers/li/duty')).on_duty);
  await tap('#waits');
  await page.locator('.queue .wrong', { hasText: 'cannot take the move sign' }).waitFor();
  await tap('.queue [data-do=give-up]');
  await page.locator('#waits').waitFor({ state: 'detached' });
  expect((await ticket(1)).ticket.stage).toBe('filed');
  await page.locator('.duty p', { hasText: /^Off duty/ }).waitFor();
  expect(exceptions()).toEqual([]);
});

test('a task is handed up with its reason, and where the officer is is sent on duty only', async () => {
  await gateway.close();
  await start(BENEATH, [['hand-down', { centre: 'district' }]]);
  await phone();
  const { page } = tab;
  await tap('[data-tab=me]');
  await page.locator('[data-do=duty][aria-checked=true]').waitFor();
  await gateway.eventually(async () => (await gateway.get<{ officers: { position: unknown }[] }>('officers?who=desk')).officers.some(officer => officer.position !== null));
  await tap('[data-tab=tasks]');
  await tap('.task [data-move=sign]');
  await page.locator('.task[data-stage=signed]').waitFor();
  await tap('.task summary');
  await tap('.task [data-move=escalate]');
  await page.locator('.said textarea, .said input').first().fill('needs a crane');
  await tap('.said [data-do=send]');
  await page.locator('#waits').waitFor({ state: 'detached' });
  await gateway.eventually(async () => (await ticket(1)).journal.some(entry => entry.what === 'escalate' && entry.who === 'li' && entry.note.includes('needs a crane')));
  expect(exceptions()).toEqual([]);
});

test.each(['zh-CN', 'en-US'] as const)('the page can be installed, is read by all, fits the phone and loads no map, %s', async locale => {
  // A walk round a block, in the minute before.
  const fixes = Array.from({ length: 6 }, (_, i) => {
    const turn = i / 3;
    return { lon: 106.5 + Math.sin(turn) / 300, lat: 29.6 + Math.abs(Math.cos(turn)) / 500, accuracy_m: 5, at: new Date(Date.now() - 1000 * (60 - 10 * i)).toISOString() };
  });
  await gateway.post('officers/li/positions', { by: 'li', fixes });
  await phone(locale);
  const { page } = tab;
  for (let theme = 0; theme < 2; theme++) {
    const name = await page.locator('html').getAttribute('data-theme');
    for (const pane of ['tasks', 'report', 'track', 'me']) {
      await tap(`[data-tab=${pane}]`);
      await page.locator(`main[data-pane=${pane}]`).waitFor();
      if (pane === 'tasks' && locale === 'zh-CN' && theme === 0) await tab.picture('field');
      if (pane === 'track') await tab.until("document.querySelector('.track polyline')?.points.length >= 6");
      await tab.expectAccessible(`${locale} ${name} ${pane}`);
      await tab.show(`field-${locale}-${name}-${pane}`);
      expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), `${pane} is wider than the phone`).toBe(false);
    }
    await tap('#theme');
  }
  const devtools = await page.context().newCDPSession(page);
  const manifest = await devtools.send('Page.getAppManifest');
  expect([manifest.errors, typeof manifest.data]).toEqual([[], 'string']);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // A private profile is the test's own.
  expect(installabilityErrors.map(one => one.errorId).filter(id => id !== 'in-incognito')).toEqual([]);
  const loaded = await page.evaluate("performance.getEntriesByType('resource').map(one => new URL(one.name).pathname).join(' ').toLowerCase()");
  expect(loaded).not.toContain('map');
  expect(tab.complaints).toEqual([]);
});
