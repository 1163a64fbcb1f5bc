import { expect, test } from 'vitest';
import { piecesOf, toGcj } from '../state/base-map';

test('the shift is the one that the gateway computes', () => {
  // The table of `fences/src/coordinates.rs`: Shanghai, Shenzhen, Beijing.
  for (const [from, to] of [
    [[121.5272106, 31.1774276], [121.531541859215, 31.17530398364597]],
    [[113.912316, 22.543847], [113.9171764808363, 22.540796131694766]],
    [[116.377817, 39.911954], [116.38404722455657, 39.91334545536069]],
  ] as const) {
    const [lon, lat] = toGcj(...(from as [number, number]));
    expect([lon, lat].map(n => n.toFixed(6))).toEqual(to.map(n => n.toFixed(6)));
  }
  expect(toGcj(-0.12, 51.5), 'nothing is shifted abroad').toEqual([-0.12, 51.5]);
});

test('a tile is cut out of those that its ground is drawn on, to the pixel', () => {
  // Tongliang at level 14: its ground is drawn some 370 m to the east and 286 m to the south, at 8.3 m a pixel.
  const pieces = piecesOf(14, 13_017, 6_780, 256);
  expect(pieces.map(({ x, y }) => [x, y])).toEqual([[13_017, 6_780], [13_018, 6_780], [13_017, 6_781], [13_018, 6_781]]);
  const [first, , , last] = pieces;
  expect(first!.left).toBeLessThan(0);
  expect(first!.top).toBeLessThan(0);
  for (const at of [first!.left, first!.top]) expect(Number.isInteger(at * 256)).toBe(true);
  expect([last!.left - first!.left, last!.top - first!.top], 'they lie side by side').toEqual([1, 1]);
  expect(Math.round(-first!.left * 256 * 8.3)).toBeGreaterThan(300);
  // Abroad, and where a pixel is larger than the shift, it is the tile itself.
  for (const [z, x, y] of [[14, 8_186, 5_448], [3, 6, 3]] as const) expect(piecesOf(z, x, y, 256)).toEqual([{ x, y, left: 0, top: 0 }]);
});
