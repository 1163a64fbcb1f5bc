// No page has a serious fault of accessibility, dark or light; with pictures of the main ones for the README.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tab } from './browser';
import { Gateway } from './gateway';

let gateway: Gateway;
let tab: Tab;

beforeAll(async () => {
  gateway = await Gateway.demo();
  // A page that asks for a ticket before it is there complains rightly.
  await gateway.eventually(async () => (await gateway.get<object>('tickets/1')) !== null);
  tab = await Tab.open(gateway.url);
});
afterAll(async () => {
  await tab.close();
  await gateway.close();
});

/** Each view's query, and what shows that it is there. The pictures that tickets show are looked at before the audit is. */
const VIEWS: [query: string, there: string[], picture?: string][] = [
  ['ticket=1', ['.journal li', '[role=option][data-no]', 'div.map[data-drawn=true]'], 'tickets'],
  ['view=wall', ['[data-centre]', '.worst li'], 'wall'],
  ['view=silences', ['[name=reason]']],
  ['view=sources', ['[data-source="cam:hall"]']],
  ['view=audit', ['main.sheet']],
];

test.each(['dark', 'light'])('%s', async theme => {
  for (const [query, there, picture] of VIEWS) {
    await tab.page.goto(`${gateway.url}?theme=${theme}&lang=en&${query}`);
    for (const selector of there) await tab.page.locator(selector).first().waitFor();
    await tab.expectAccessible(`${theme} ${query}`);
    if (picture && theme === 'dark') {
      // All of the district, not the ground about one ticket.
      if (picture === 'tickets') await tab.page.locator('.fit').click();
      if (picture === 'tickets') await tab.page.locator('div.map[data-drawn=true]').waitFor();
      await tab.picture(picture);
    }
  }
  await tab.page.keyboard.press('?');
  await tab.page.locator('#help[open]').waitFor();
  await tab.expectAccessible(`${theme} help`);
  expect(tab.complaints).toEqual([]);
});
