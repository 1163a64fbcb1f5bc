// A real Chromium (Debian's package `chromium`), one page in each: what the page complains of is collected, axe-core looks at
// it, and pictures of it go to `screenshots/`.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { DEADLINE_MS } from './deadline';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const AXE = readFileSync(join(import.meta.dirname, '../node_modules/axe-core/axe.min.js'), 'utf8');
const PICTURES = join(import.meta.dirname, '../screenshots');
/** The README shows them. */
const PICTURE_BYTES_MAX = 300_000;

/** What the page loaded but answers of the API: names, bytes as they came, and when the last one was there. */
export const FIRST_LOAD = `(all => ({ files: all.map(one => new URL(one.name).pathname), bytes: all.reduce((sum, one) => sum + one.transferSize, 0),
  ms: Math.max(...all.map(one => one.responseEnd)) }))
  ([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource').filter(one => !one.name.includes('/api/'))])`;

export interface FirstLoad { files: string[]; bytes: number; ms: number }

export interface Seat {
  locale?: 'zh-CN' | 'en-US';
  width?: number;
  height?: number;
  /** Further arguments of Chromium. */
  args?: string[];
  /** What else is so of the device: where it is, what it may. */
  device?: BrowserContextOptions;
}

export class Tab {
  /** Exceptions that nobody caught, and errors of the page's console. */
  readonly complaints: string[] = [];

  private constructor(private readonly browser: Browser, readonly page: Page) {
    page.setDefaultTimeout(DEADLINE_MS);
    page.on('pageerror', error => this.complaints.push(String(error)));
    page.on('console', said => {
      if (said.type() === 'error') this.complaints.push(`${said.text()} ${said.location().url}`);
    });
  }

  static async open(url: string, { locale = 'en-US', width = 1440, height = 900, args = [], device = {} }: Seat = {}): Promise<Tab> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--disable-gpu', ...args], timeout: DEADLINE_MS });
    const tab = new Tab(browser, await browser.newPage({ locale, viewport: { width, height }, colorScheme: 'dark', ...device }));
    await tab.page.goto(url, { timeout: DEADLINE_MS });
    return tab;
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  /** A ticket's detail with all that the gateway says of it. */
  async detailOf(no: number): Promise<void> {
    await this.page.locator(`.detail[data-no="${no}"] .journal li`).first().waitFor();
  }

  async choose(no: number): Promise<void> {
    await this.page.locator(`[role=option][data-no="${no}"]`).click();
    await this.detailOf(no);
  }

  /** Until an expression of JavaScript is true on the page: by asking, since its policy allows nothing to be evaluated within it. */
  async until(expression: string): Promise<void> {
    await expect.poll(() => this.page.evaluate(expression), { message: expression }).toBe(true);
  }

  stage(): Promise<string | null> {
    return this.page.locator('.detail').getAttribute('data-stage');
  }

  /** How many tickets the list has, drawn or not. */
  async nRows(): Promise<number> {
    return Number(await this.page.locator('[role=option][data-no]').first().getAttribute('aria-setsize'));
  }

  /** Addresses of other origins that the page loaded something from. */
  elsewhere(): Promise<string[]> {
    return this.page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin + '/'))");
  }

  /** Nothing serious that axe-core finds. */
  async expectAccessible(what: string): Promise<void> {
    await this.page.evaluate(`${AXE};\ntrue`);
    const found = await this.page.evaluate(`axe.run().then(said => said.violations.filter(one => ['serious', 'critical'].includes(one.impact))
      .map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary).join('; ')))`);
    expect(found, what).toEqual([]);
  }

  /** A picture for people to look at, where OUTPOST_SCREENSHOTS names a folder for it. */
  async show(name: string): Promise<void> {
    const folder = process.env.OUTPOST_SCREENSHOTS;
    if (folder) await this.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
  }

  /** A picture for the README: taken anew with OUTPOST_UPDATE_EXPECTED=1, and else only there and small enough. */
  async picture(name: string): Promise<void> {
    const path = join(PICTURES, `${name}.png`);
    if (process.env.OUTPOST_UPDATE_EXPECTED === '1') {
      mkdirSync(PICTURES, { recursive: true });
      await this.page.screenshot({ path, animations: 'disabled', caret: 'hide' });
    }
    expect(existsSync(path), `${path} is lacking: OUTPOST_UPDATE_EXPECTED=1 takes it`).toBe(true);
    expect(statSync(path).size, path).toBeLessThanOrEqual(PICTURE_BYTES_MAX);
  }
}
