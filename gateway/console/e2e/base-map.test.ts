// The integrator's own map lies under all, and what is on it where it is: as one file or as a folder, drawn in WGS-84 or in GCJ-02.
import { afterEach, expect, test } from 'vitest';
import { Tab } from './browser';
import { Gateway } from './gateway';
import { flooded, pmtiles, spotted, type Tile } from './tiles';

/** In Tongliang, and where GCJ-02 has it: 468 m away, 56 pixels of the map at level 14. */
const HERE = [106.03, 29.81] as const;
const HERE_GCJ = [106.03383, 29.80742] as const;
const ZOOMS = [12, 13, 14];
const TILES_BESIDE = 3;
/** A shape of the gateway's own in the middle of what is looked at. */
const FENCE = { type: 'Feature', id: 'spot', properties: { radius_m: 400 }, geometry: { type: 'Point', coordinates: HERE } };

let gateway: Gateway | undefined;
let tab: Tab | undefined;

afterEach(async () => {
  await tab?.close();
  await gateway?.close();
  [gateway, tab] = [undefined, undefined];
});

async function open(map: string, files: Record<string, string | Buffer>): Promise<void> {
  gateway = await Gateway.run({ token: 'let-me-in', ...files, 'fence.geojson': JSON.stringify(FENCE), 'district.toml': `
[console]
map = { ${map}, attribution = "测绘院 <2026>" }
[[fences]]
file = "fence.geojson"
` });
  tab = await Tab.open(gateway.page('lang=en&theme=light'));
  await tab.page.locator('div.map[data-drawn=true]').waitFor();
}

const folder = (tiles: Tile[]) => Object.fromEntries(tiles.map(({ z, x, y, bytes }) => [`tiles/${z}/${x}/${y}.png`, bytes]));

interface Seen { red: [right: number, down: number] | null; middle: number[] }

/** The middle of what is red, from the middle of the map in pixels, and the colour beside the middle. */
async function seen(): Promise<Seen> {
  const { page } = tab!;
  const clip = (await page.locator('div.map').boundingBox())!;
  const shot = (await page.screenshot({ clip })).toString('base64');
  return page.evaluate(`new Promise(done => {
    const image = new Image();
    image.onload = () => {
      const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
      pen.drawImage(image, 0, 0);
      const { data, width, height } = pen.getImageData(0, 0, image.width, image.height);
      let n = 0, right = 0, down = 0;
      for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) {
        const at = 4 * (row * width + column);
        if (data[at] > data[at + 1] + 25 && data[at] > data[at + 2] + 20) { n++; right += column; down += row; }
      }
      const beside = 4 * (Math.floor(height / 2 + 150) * width + Math.floor(width / 2 + 100));
      done({ red: n > 200 ? [right / n - width / 2, down / n - height / 2] : null, middle: [...data.slice(beside, beside + 3)] });
    };
    image.src = 'data:image/png;base64,${shot}';
  })`) as Promise<Seen>;
}

test.each([
  ['one file, WGS-84', 'tiles = "district.pmtiles"', () => ({ 'district.pmtiles': pmtiles(spotted(HERE, ZOOMS, TILES_BESIDE)) })],
  ['one file, GCJ-02', 'tiles = "district.pmtiles", coordinates = "gcj02"', () => ({ 'district.pmtiles': pmtiles(spotted(HERE_GCJ, ZOOMS, TILES_BESIDE)) })],
  ['a folder, GCJ-02', 'tiles = "tiles/{z}/{x}/{y}.png", coordinates = "gcj02", zoom_max = 14', () => folder(spotted(HERE_GCJ, ZOOMS, TILES_BESIDE))],
] as const)('what is on the map is where the fence about it is: %s', async (name, map, files) => {
  await open(map, files());
  const near = (at: number) => Math.abs(at) <= 4;
  await expect.poll(async () => (await seen()).red?.every(near)).toBe(true);
  // Whose it is, as text.
  await tab!.page.locator('.map .maplibregl-ctrl-attrib', { hasText: '测绘院 <2026>' }).waitFor();
  await tab!.page.locator('#theme').click();
  await tab!.page.locator('div.map[data-drawn=true]').waitFor();
  await expect.poll(async () => (await seen()).red?.every(near), { message: 'in the other theme, too' }).toBe(true);
  await tab!.expectAccessible(name);
  await tab!.show(`base-map-${name.replaceAll(/\W+/g, '-')}`);
  expect(await tab!.elsewhere()).toEqual([]);
  expect(tab!.complaints).toEqual([]);
});

test('vectors are drawn by what their layers are called', async () => {
  await open('tiles = "district.pmtiles"', { 'district.pmtiles': pmtiles(flooded(HERE, ZOOMS, TILES_BESIDE, 'water'), ['water']) });
  // As `base-layers.ts` has it for water.
  await expect.poll(async () => (await seen()).middle).toEqual([0xcf, 0xdf, 0xec]);
  expect(tab!.complaints).toEqual([]);
});

test('a map that cannot be read is no reason to show nothing', async () => {
  await open('tiles = "district.pmtiles"', { 'district.pmtiles': pmtiles(spotted(HERE, [14], 0)) });
  await tab!.page.route('**/api/v1/map/file*', route => route.abort());
  await tab!.page.reload();
  await tab!.page.locator('div.map[data-drawn=true]').waitFor();
  await expect.poll(() => tab!.page.locator('div.map').getAttribute('data-fences')).toBe('1');
  expect((await seen()).red).toBe(null);
});
