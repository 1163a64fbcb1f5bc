// Tiles of a map that somebody drew: a red spot on white where they hold a place to be, or one layer of vectors; as files of a folder or
// as one PMTiles file (version 3, https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md).
import { crc32, deflateSync } from 'node:zlib';
import { zxyToTileId } from 'pmtiles';

const PIXELS = 256;
const SPOT_PX = 30;
const HEADER_BYTES = 127;
const [PNG, MVT] = [2, 1];

export interface Tile { z: number; x: number; y: number; bytes: Buffer }

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A picture of which `isRed` says what is red. */
function picture(isRed: (column: number, row: number) => boolean): Buffer {
  const line = 1 + 3 * PIXELS;
  const raw = Buffer.alloc(line * PIXELS, 255);
  for (let row = 0; row < PIXELS; row++) {
    raw[row * line] = 0;
    for (let column = 0; column < PIXELS; column++) if (isRed(column, row)) raw.set([255, 0, 0], row * line + 1 + 3 * column);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(PIXELS, 0);
  header.writeUInt32BE(PIXELS, 4);
  header.set([8, 2], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))]);
}

/** Web Mercator. */
function pixelsOf([lon, lat]: readonly [number, number], z: number): [x: number, y: number] {
  const n = PIXELS * 2 ** z;
  return [((lon + 180) / 360) * n, ((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * n];
}

/** The tiles about a place, so many to each side. */
function about(place: readonly [number, number], zooms: number[], n: number, bytesOf: (z: number, x: number, y: number) => Buffer): Tile[] {
  return zooms.flatMap(z => {
    const [middleX, middleY] = pixelsOf(place, z).map(pixel => Math.floor(pixel / PIXELS)) as [number, number];
    const along = Array.from({ length: 2 * n + 1 }, (_, i) => i - n);
    return along.flatMap(dx => along.map(dy => ({ z, x: middleX + dx, y: middleY + dy, bytes: bytesOf(z, middleX + dx, middleY + dy) })));
  });
}

export function spotted(place: readonly [number, number], zooms: number[], n: number): Tile[] {
  const white = picture(() => false);
  return about(place, zooms, n, (z, x, y) => {
    const [left, top] = pixelsOf(place, z);
    const [column, row] = [left - x * PIXELS, top - y * PIXELS];
    const isNear = [column, row].every(at => at > -SPOT_PX && at < PIXELS + SPOT_PX);
    return isNear ? picture((atColumn, atRow) => Math.hypot(atColumn + 0.5 - column, atRow + 0.5 - row) <= SPOT_PX) : white;
  });
}

const field = (no: number, bytes: number[]) => [(no << 3) | 2, ...varint(bytes.length), ...bytes];
const text = (no: number, said: string) => field(no, [...Buffer.from(said)]);

function varint(n: number): number[] {
  const out = [];
  for (; n > 0x7f; n = Math.floor(n / 128)) out.push((n % 128) | 0x80);
  return [...out, n];
}

/** Mapbox Vector Tile 2.1: one polygon that covers the tile, in a layer of that name. */
export function flooded(place: readonly [number, number], zooms: number[], n: number, layer: string): Tile[] {
  const [extent, polygon] = [4096, 3];
  const ring = [9, 0, 0, 26, 2 * extent, 0, 0, 2 * extent, 2 * extent - 1, 0, 15];
  const feature = [(3 << 3) | 0, polygon, ...field(4, ring.flatMap(varint))];
  const bytes = Buffer.from(field(3, [(15 << 3) | 0, 2, ...text(1, layer), ...field(2, feature), (5 << 3) | 0, ...varint(extent)]));
  return about(place, zooms, n, () => bytes);
}

/** `layers`: of vectors; without, the tiles are pictures. */
export function pmtiles(tiles: Tile[], layers?: string[]): Buffer {
  const sorted = tiles.map(tile => ({ ...tile, id: zxyToTileId(tile.z, tile.x, tile.y) })).sort((a, b) => a.id - b.id);
  const columns: number[][] = [[], [], [], []];
  let [last, offset] = [0, 0];
  for (const { id, bytes } of sorted) {
    for (const [i, n] of [id - last, 1, bytes.length, offset + 1].entries()) columns[i]!.push(...varint(n));
    [last, offset] = [id, offset + bytes.length];
  }
  const directory = Buffer.from([...varint(sorted.length), ...columns.flat()]);
  const metadata = Buffer.from(JSON.stringify(layers ? { vector_layers: layers.map(id => ({ id })) } : {}));
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('PMTiles\x03', 'latin1');
  const zooms = tiles.map(tile => tile.z);
  const places = [HEADER_BYTES, directory.length, HEADER_BYTES + directory.length, metadata.length, 0, 0, HEADER_BYTES + directory.length + metadata.length, offset];
  for (const [i, n] of [...places, sorted.length, sorted.length, sorted.length].entries()) header.writeBigUInt64LE(BigInt(n), 8 + 8 * i);
  const [clustered, unpacked] = [1, 1];
  header.set([clustered, unpacked, unpacked, layers ? MVT : PNG, Math.min(...zooms), Math.max(...zooms)], 96);
  return Buffer.concat([header, directory, metadata, ...sorted.map(tile => tile.bytes)]);
}
