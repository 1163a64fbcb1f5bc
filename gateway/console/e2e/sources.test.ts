// Twenty-three thousand sources: all are on the map, in clusters that show how they are; the list is drawn as far as it is seen.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tab } from './browser';
import type { Gateway } from './gateway';
import { start } from './sensors';

const N = 23_000;

let gateway: Gateway;
let tab: Tab;

beforeAll(async () => {
  gateway = await start(N, i => [105.9 + (i % 200) / 500, 29.7 + Math.floor(i / 200) / 300]);
  tab = await Tab.open(gateway.url);
});
afterAll(async () => {
  await tab.close();
  await gateway.close();
});

test('all sources are on the map in clusters, and their list is searched', async () => {
  const { page } = tab;
  await page.locator(`div.map[data-ready=true][data-sources="${N}"]`).waitFor();
  await page.locator('.fit').click();
  await page.locator('div.map[data-drawn=true]').waitFor();
  await page.locator('[data-view=sources]').click();
  await page.locator('[data-source]').first().waitFor();
  expect(await page.locator('[data-source]').count(), 'only those in sight are drawn').toBeLessThan(100);
  await page.locator('.sources input[type=search]').fill(`sensor/${N - 1}`);
  await expect.poll(() => page.locator('[data-source]').count()).toBe(1);
  expect(tab.complaints).toEqual([]);
});
