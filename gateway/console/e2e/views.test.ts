// The views beside the tickets: class cases with their patterns, scores down to tickets, the report of a month; on a narrow screen
// the map; a network that is cut and comes back. In both languages and both themes none has a serious fault of accessibility.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FIRST_LOAD, type FirstLoad, Tab } from './browser';
import { type District, report, start } from './district';

const N_REPORTS = 5;
/** As packed as they come. */
const FIRST_LOAD_BYTES_MAX = 700_000;

let district: District;
let tab: Tab;

beforeAll(async () => {
  district = await start();
  await report(district.gateway, N_REPORTS);
  // One is worked on, so that there is something to score; it is the last, and none before it is closed.
  for (const move of ['accept', 'file']) await district.gateway.post(`tickets/${N_REPORTS}/${move}`, { who: 'zhou' });
});
beforeEach(async () => {
  tab = await Tab.open(`${district.gateway.url}?lang=en&map=0`);
});
afterEach(() => tab.close());
afterAll(() => district.gateway.close());

async function go(query: string): Promise<void> {
  await tab.page.goto(`${district.gateway.url}?${query}`);
}

test('a class case shows its tickets on the map and the Knox table of its category, and is confirmed and closed', async () => {
  const { page } = tab;
  await page.locator('#who').fill('zhou');
  await page.locator('#who').press('Enter');
  await page.locator('[data-view=classes]').click();
  await page.locator('[data-class="1"]', { hasText: 'roads/pothole' }).click();
  await expect.poll(() => page.locator('.place-map[data-ready=true]').getAttribute('data-points')).toBe(String(N_REPORTS));
  await page.locator('[data-patterns]').click();
  // Bands of distances by spans, three of each.
  await expect.poll(() => page.locator('[data-table=knox] tbody td').count()).toBe(9);
  expect(await page.locator('[data-table=knox]').textContent()).toContain('by chance');
  await page.locator('.patterns .reason').waitFor();
  expect(page.url()).toContain('class=1');
  await page.locator('[name=note]').fill('the same pipe');
  await page.locator('[data-move=confirm]').click();
  expect(await page.locator('#fault').textContent()).not.toContain('C-1');
  await expect.poll(() => page.locator('.detail').getAttribute('data-stage')).toBe('confirmed');
  await page.locator('.journal', { hasText: 'the same pipe' }).waitFor();
  await page.locator('[data-move=close]').click();
  await expect.poll(() => page.locator('.detail').getAttribute('data-stage')).toBe('closed');
  await page.locator('.notice', { hasText: 'days before and after' }).waitFor();
  // Ended ones are listed where somebody asks.
  await page.locator('.pick').waitFor({ state: 'detached' });
  await page.locator('.check input').check();
  await page.locator('.pick[data-class="1"]').waitFor();
  await page.locator('.chips button', { hasText: 'T-1' }).click();
  await tab.detailOf(1);
  expect(tab.complaints).toEqual([]);
});

test('each figure of the scores leads to its counts, each count to its tickets, and what is out of reach stands apart', async () => {
  const { page } = tab;
  await page.locator('[data-view=scores]').click();
  const row = page.locator('[data-of=east]');
  await row.waitFor();
  await row.locator('[data-score=filed-in-time]').click();
  const behind = page.locator('.drill');
  await behind.locator('[data-count=filed] b', { hasText: /^1$/ }).waitFor();
  await behind.locator('[data-count=filed]').click();
  await behind.locator(`[data-behind="${N_REPORTS}"]`).waitFor();
  await expect.poll(() => page.url()).toContain('&of=east&count=filed');
  await expect.poll(() => row.locator('.apart [data-count]').allTextContents()).toEqual(['0', '0', '0']);
  // The address alone brings it back, and the ticket is a click away.
  await page.reload();
  await page.locator(`[data-behind="${N_REPORTS}"]`).click();
  await tab.detailOf(N_REPORTS);
  await page.goBack();
  await page.locator('[name=level]').selectOption('district');
  await page.locator('[data-of=district]').waitFor();
  expect(tab.complaints).toEqual([]);
});

test('the report of a month is a page of its own', async () => {
  const { page } = tab;
  await page.locator('[data-view=reports]').click();
  const opened = page.waitForEvent('popup');
  await page.locator('[data-month] a').first().click();
  const popup = await opened;
  await popup.getByText('monthly report').first().waitFor();
  await popup.getByText('roads/pothole').first().waitFor();
});

test('the page and all that it loads without the map is small', async () => {
  const { page } = tab;
  await page.locator('[role=option][data-no]').first().waitFor();
  const { files, bytes } = (await page.evaluate(FIRST_LOAD)) as FirstLoad;
  expect(files.filter(name => /map-|maplibre|uplot|SeriesChart/i.test(name))).toEqual([]);
  expect(files.length).toBeGreaterThan(2);
  expect(bytes).toBeGreaterThan(30_000);
  expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
});

test('on a narrow screen the map is shown where somebody asks, beside the list and above the ticket', async () => {
  const { page } = tab;
  await page.setViewportSize({ width: 1000, height: 800 });
  await go('lang=en&ticket=1');
  await tab.detailOf(1);
  expect(await page.locator('.pane.map').count()).toBe(0);
  await page.locator('.map-toggle').click();
  await page.locator('div.map[data-ready=true]').waitFor();
  await expect.poll(() => page.url()).toContain('map=1');
  const box = async (selector: string) => (await page.locator(selector).boundingBox())!;
  const [map, shown] = [await box('.pane.map'), await box('.pane.shown')];
  expect(map.y + map.height).toBeLessThanOrEqual(shown.y + 1);
  expect(map.height).toBeGreaterThan(150);
  // On a phone in place of the list.
  await page.setViewportSize({ width: 390, height: 800 });
  await go('lang=en&map=1');
  await page.locator('div.map[data-ready=true]').waitFor();
  expect((await box('.pane.map')).height).toBeGreaterThan(300);
  expect(await page.locator('.list').isVisible()).toBe(false);
  await page.locator('.map-toggle').click();
  await page.locator('.list').waitFor();
  await page.locator('[role=option][data-no="1"]').click();
  await tab.detailOf(1);
  expect(tab.complaints).toEqual([]);
});

test('while the network is cut the page says so and claims nothing, and when it is back it shows what happened meanwhile', async () => {
  const { page } = tab;
  await page.locator('#link.up').waitFor();
  await page.locator('#who').fill('zhou');
  await page.locator('#who').press('Enter');
  await tab.choose(2);
  await page.context().setOffline(true);
  // What is asked meanwhile is not shown as done.
  await page.locator('[data-move=accept]').click();
  await page.locator('#fault', { hasText: /^The gateway did not answer/ }).waitFor();
  expect(await tab.stage()).toBe('reported');
  await page.locator('.page.stale').waitFor();
  await district.gateway.post('tickets/2/accept', { who: 'wang' });
  await page.context().setOffline(false);
  await page.locator('.page:not(.stale)').waitFor();
  await expect.poll(() => tab.stage()).toBe('accepted');
});

test.each(['dark', 'light'])('classes, scores, reports and the narrow map, %s', async theme => {
  const views: [query: string, there: string, width: number, picture?: string][] = [
    ['view=classes&class=1&closed=1', '.place-map[data-ready=true]', 1440, 'classes'],
    ['view=scores&of=east&score=filed-in-time&count=filed', `[data-behind="${N_REPORTS}"]`, 1440, 'scores'],
    ['view=reports', '[data-month]', 1440],
    ['ticket=1&map=1', 'div.map[data-ready=true]', 1000],
    ['view=classes&class=1&closed=1', '.journal li', 390],
  ];
  for (const lang of ['zh', 'en']) {
    for (const [query, there, width, picture] of views) {
      await tab.page.setViewportSize({ width, height: 900 });
      await go(`${query}&theme=${theme}&lang=${lang}`);
      await tab.page.locator(there).first().waitFor();
      if (picture === 'classes') {
        await tab.page.locator('[data-patterns]').click();
        await tab.page.locator('[data-table=knox] td').last().scrollIntoViewIfNeeded();
      }
      await tab.expectAccessible(`${theme} ${lang} ${query}`);
      if (picture && theme === 'dark' && lang === 'en') await tab.picture(picture);
    }
  }
  expect(tab.complaints).toEqual([]);
});
