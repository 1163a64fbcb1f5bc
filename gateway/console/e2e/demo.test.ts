// What operators see is what the gateway has, on the demo: tickets with lamp, severity and picture, the address, silences, the map.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Seat, Tab } from './browser';
import { Gateway } from './gateway';

let gateway: Gateway;
let tab: Tab;

beforeAll(async () => {
  gateway = await Gateway.demo();
});
afterEach(() => tab.close());
afterAll(() => gateway.close());

async function open(query = '', seat: Seat = {}): Promise<void> {
  tab = await Tab.open(gateway.url + query, seat);
}

test('tickets have a lamp, a severity, the moves of their stage, and a picture that loaded', async () => {
  await open('?map=0', { locale: 'zh-CN' });
  await expect.poll(() => tab.nRows()).toBeGreaterThanOrEqual(3);
  const rows = await tab.page.locator('[role=option][data-no]').evaluateAll(found => found.map(row => ({
    no: Number((row as HTMLElement).dataset.no), stage: (row as HTMLElement).dataset.stage, lit: row.className,
    colour: row.querySelector('.lamp .colour')?.textContent ?? '', left: row.querySelector('.lamp .left')?.textContent ?? '',
    severity: row.querySelector('.severity')?.textContent ?? '',
  })));
  let nPictures = 0;
  for (const row of rows) {
    expect(`${/green|yellow|red/.exec(row.lit)?.[0]} ${row.colour} ${row.left}`).toMatch(/^(green 绿灯 剩余|yellow 黄灯 剩余|red 红灯 超时) /);
    expect(['▮▯▯▯一般', '▮▮▯▯较大', '▮▮▮▯重大', '▮▮▮▮特别重大']).toContain(row.severity);
    await tab.choose(row.no);
    expect(await tab.stage()).toBe('reported');
    expect(await tab.page.locator('.facts .reason').textContent()).not.toMatch(/\b(above|below|over|left|entered|inside|moves|crossed|nothing|usual|mean|unlike|together)\b/);
    // What the table opens to a report: accept, refuse, solve, merge, supervise, escalate, hand down; and dispatch, at once,
    // where it is an emergency.
    expect(await tab.page.locator('.detail .moves button').count()).toBe(7 + (row.severity.endsWith('特别重大') ? 1 : 0));
    if ((await tab.page.locator('.evidence .snapshot').count()) === 0) continue;
    await tab.until("[...document.querySelectorAll('.evidence img')].some(image => image.complete && image.naturalWidth >= 320)");
    nPictures++;
  }
  expect(nPictures, `of ${rows.length} tickets`).toBeGreaterThan(0);
  const numbers = rows.map(row => row.no);
  expect(numbers, 'newest first').toEqual([...numbers].sort((a, b) => b - a));
  // The count in the header is that of the rows, and the stream alone brings the next ticket.
  await tab.until("document.querySelector('#counts').textContent.startsWith('未结 ' + document.querySelector('[role=option][data-no]').ariaSetSize)");
  const before = await tab.nRows();
  await expect.poll(() => tab.nRows()).toBeGreaterThan(before);
  expect(await tab.elsewhere()).toEqual([]);
  expect(tab.complaints).toEqual([]);
});

test('the address holds what is seen: ticket, filter, language, theme', async () => {
  await open('?map=0');
  await tab.page.locator('[data-no="1"]').waitFor();
  await tab.page.goto(`${gateway.url}?ticket=1&find=T-1&lang=zh&theme=light&map=0`);
  await tab.detailOf(1);
  const page = tab.page.locator('html');
  expect([await page.getAttribute('lang'), await page.getAttribute('data-theme')]).toEqual(['zh-CN', 'light']);
  await expect.poll(() => tab.page.locator('#find').inputValue()).toBe('T-1');
  await tab.page.locator('#lang').click();
  await expect.poll(() => page.getAttribute('lang')).toBe('en');
  expect(tab.page.url()).toContain('lang=en');
  // Found by nothing: said so, and the ticket that the address names is still shown.
  await tab.page.locator('#find').fill('nothing at all');
  await tab.page.locator('.list .empty', { hasText: 'No ticket matches' }).waitFor();
  await tab.detailOf(1);
  expect(tab.complaints).toEqual([]);
});

test('silences are begun and ended, and seen everywhere', async () => {
  await open('?view=silences');
  await tab.page.locator('[name=source]').fill('office/+');
  await tab.page.locator('[name=reason]').fill('works on the line');
  await tab.page.keyboard.press('Enter');
  await tab.page.locator('[data-silence]', { hasText: 'works on the line' }).waitFor();
  await tab.page.locator('[data-view=tickets]').click();
  await tab.page.locator('#muted', { hasText: /^Silences 1 · / }).click();
  await tab.page.locator('[data-silence] button').click();
  await tab.page.locator('[data-silence]').waitFor({ state: 'detached' });
  await tab.page.locator('#muted').waitFor({ state: 'detached' });
  expect(tab.complaints).toEqual([]);
});

test('the map shows fences, sources and tickets of this gateway only, and goes away', async () => {
  await open();
  const shown = async (what: string) => Number(await tab.page.locator('div.map').getAttribute(`data-${what}`));
  await tab.page.locator('div.map[data-ready=true]').waitFor();
  await expect.poll(() => shown('fences')).toBeGreaterThanOrEqual(2);
  // The camera's place comes from the configuration, the bus says where it is.
  await expect.poll(() => shown('sources')).toBeGreaterThanOrEqual(2);
  await expect.poll(() => shown('tickets')).toBeGreaterThanOrEqual(1);
  expect(await tab.elsewhere()).toEqual([]);
  await tab.page.locator('.map-toggle').click();
  await tab.page.locator('.map').waitFor({ state: 'detached' });
  expect(tab.page.url()).toContain('map=0');
  expect(tab.complaints).toEqual([]);
});

test('without WebGL places are listed and chosen', async () => {
  await open('', { args: ['--disable-3d-apis'] });
  const places = tab.page.locator('.places');
  await places.getByText('has no WebGL').waitFor();
  await places.locator('li', { hasText: /^档案室门厅 / }).waitFor();
  await places.locator('button').first().click();
  await expect.poll(() => tab.page.locator('.detail').getAttribute('data-no')).toMatch(/^\d+$/);
  expect(tab.page.url()).toContain('ticket=');
});

test('officers of the demo are on patrol, and one sent from the desk has the task on their phone', async () => {
  await open('?ticket=1');
  const { page } = tab;
  await page.locator('div.map[data-ready=true]').waitFor();
  await page.locator('[data-officers-shown]').check();
  await expect.poll(() => page.locator('div.map').getAttribute('data-officers')).toBe('2');
  await page.locator('#who').fill('zhou');
  await page.locator('#who').press('Enter');
  await tab.detailOf(1);
  for (const [move, stage] of [['accept', 'accepted'], ['file', 'filed']]) {
    await page.locator('.moves[aria-busy=false]').waitFor();
    await page.locator(`[data-move=${move}]`).click();
    await expect.poll(() => tab.stage()).toBe(stage);
  }
  await page.locator('.moves[aria-busy=false]').waitFor();
  await page.locator('[data-move=dispatch]').click();
  await page.locator('.suggest [data-officer=li] button').click();
  await expect.poll(() => tab.stage()).toBe('dispatched');
  await page.goto(`${gateway.url}field?lang=en`);
  await page.locator('[data-officer=li]').click();
  await page.locator('[data-tab=tasks]').click();
  await page.locator('.task[data-no="1"] [data-move=sign]').click();
  await expect.poll(async () => (await gateway.get<{ ticket: { stage: string } }>('tickets/1')).ticket.stage).toBe('signed');
  expect(tab.complaints).toEqual([]);
});
