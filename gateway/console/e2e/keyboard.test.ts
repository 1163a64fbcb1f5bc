// An operator works by keyboard alone, on the demo, and sees the gateway go and come back.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tab } from './browser';
import { HOTLINE, report } from './district';
import { Gateway } from './gateway';

let gateway: Gateway;
let tab: Tab;

beforeAll(async () => {
  // Without people everybody may do all.
  gateway = await Gateway.run({ 'district.toml': HOTLINE });
  await report(gateway, 4);
  tab = await Tab.open(`${gateway.url}?map=0`);
});
afterAll(async () => {
  await tab.close();
  await gateway.close();
});

/** What is asked of a ticket is asked once: the next move waits for the answer. */
async function reaches(stage: string): Promise<void> {
  await expect.poll(() => tab.stage()).toBe(stage);
  await tab.page.locator('.moves[aria-busy=false]').waitFor();
}

test('moves are made by keys, and what a gateway that is away was asked is not shown as done', async () => {
  const { page } = tab;
  await page.locator('[data-no="2"]').waitFor();
  // The newest with the first `j`, the oldest with as many as there are.
  await page.keyboard.press('j');
  await expect.poll(async () => Number(await page.locator('.detail').getAttribute('data-no'))).toBeGreaterThan(1);
  for (let n = 0; n < 50; n++) await page.keyboard.press('j');
  await tab.detailOf(1);
  expect(page.url(), 'what is looked at is in the address').toMatch(/\?ticket=1&/);
  await page.keyboard.press('k');
  await tab.detailOf(2);
  await page.keyboard.press('j');
  await tab.detailOf(1);

  // So few that all are drawn, however many come.
  await page.keyboard.press('/');
  await page.keyboard.type('T-1');
  await page.keyboard.press('Escape');
  await page.keyboard.press('a');
  await reaches('accepted');
  const row = page.locator('[role=option][data-no="1"]');
  await expect.poll(() => row.getAttribute('data-stage')).toBe('accepted');
  await page.locator('[data-move=file]').focus();
  await page.keyboard.press('Enter');
  await reaches('filed');
  await tab.until("document.activeElement.closest('.detail') !== null");
  await page.keyboard.press('d');
  await page.locator('#ask[open]').waitFor();
  await page.keyboard.type('Patrol <b>3</b>');
  await page.keyboard.press('Enter');
  await reaches('dispatched');
  await page.locator('.facts', { hasText: 'Patrol <b>3</b>' }).waitFor();
  expect(tab.complaints).toEqual([]);

  await gateway.kill();
  await page.locator('.page.stale').waitFor();
  await expect.poll(() => page.locator('#stale').textContent()).not.toBe('');
  await page.locator('[data-move=sign]').focus();
  await page.keyboard.press('Enter');
  await page.locator('#fault', { hasText: /^The gateway did not answer/ }).waitFor();
  expect(await tab.stage()).toBe('dispatched');

  await gateway.startAgain();
  await page.locator('.page:not(.stale)').waitFor();
  await reaches('dispatched');
  await page.locator('[data-move=sign]').focus();
  await page.keyboard.press('Enter');
  await reaches('signed');
  await page.locator('#fault').waitFor({ state: 'hidden' });
  // Part of another one: the row goes, and comes back among the closed ones.
  await page.locator('[data-move=merge]').focus();
  await page.keyboard.press('Enter');
  await page.locator('#ask[open]').waitFor();
  await page.keyboard.type('T-2');
  await page.keyboard.press('Enter');
  await row.waitFor({ state: 'detached' });
  await reaches('merged');
  await page.locator('#closed').check();
  await expect.poll(() => row.getAttribute('class')).toContain('off');
  // While the gateway was away its refusals were complaints; what a page throws is never one.
  expect(tab.complaints.filter(said => !said.includes('Failed to load resource') && !said.includes('net::ERR'))).toEqual([]);
});

test('a new ticket rings by its key, while the filter shows it, until somebody accepts it', async () => {
  const { page } = tab;
  await page.goto(`${gateway.url}?map=0&lang=en`);
  await page.locator('#link.up').waitFor();
  await page.locator('.list').focus();
  await page.keyboard.press('s');
  await page.locator('#sound[aria-pressed=true]').waitFor();
  expect(await page.locator('#sound.ringing').count(), 'what was there before does not ring').toBe(0);
  await report(gateway, 5);
  await page.locator('#sound.ringing').waitFor();
  await page.locator('#find').fill('nothing at all');
  await page.locator('#sound:not(.ringing)').waitFor();
  await page.locator('#find').fill('');
  await page.locator('#sound.ringing').waitFor();
  // Whoever accepts it.
  const { tickets } = await gateway.get<{ tickets: { no: number }[] }>('tickets?limit=1');
  await gateway.post(`tickets/${tickets[0]!.no}/accept`, { who: 'somebody else' });
  await page.locator('#sound:not(.ringing)').waitFor();
});

test('more time is asked for with how much and why, and what was given back says why', async () => {
  const { page } = tab;
  const { tickets } = await gateway.get<{ tickets: { no: number }[] }>('tickets?limit=1');
  const { no } = tickets[0]!;
  for (const [move, more] of [['file', {}], ['dispatch', { unit: 'Patrol 5' }], ['sign', {}]] as const) await gateway.post(`tickets/${no}/${move}`, { who: 'desk', ...more });
  await page.goto(`${gateway.url}?map=0&lang=en&ticket=${no}`);
  await reaches('signed');
  await page.locator('[data-move=extend]').click();
  await page.locator('#ask-limit').fill('3');
  await page.locator('#ask button[type=submit]').click();
  await page.locator('#ask .wrong', { hasText: 'Why?' }).waitFor();
  await page.locator('#ask-note').fill('the part is on its way');
  await page.locator('#ask button[type=submit]').click();
  await page.locator('.journal', { hasText: 'the part is on its way' }).waitFor();
  await page.locator('.facts dt', { hasText: 'Asks for' }).waitFor();
  await page.locator('[data-move=return]').click();
  await page.locator('#ask .chips button', { hasText: 'not our duty' }).click();
  await page.locator('#ask button[type=submit]').click();
  await reaches('filed');
  await page.locator('.journal', { hasText: 'not our duty' }).waitFor();
});
