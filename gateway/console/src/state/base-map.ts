// The integrator's own map under all: its tiles, by place. Those that were drawn in GCJ-02 are cut anew out of up to four, so that
// what is on them lies where it is. Knows of no map that is drawn.
import { PMTiles, TileType } from 'pmtiles';
import { part, url } from '../api';
import type { BaseMap } from '../types';

export interface Base {
  kind: 'pictures' | 'vectors';
  zoomMin: number;
  zoomMax: number;
  attribution: string;
  /** Names of what vectors are in. */
  layers: string[];
  /** The tile as it is drawn; null where there is none. */
  tile(z: number, x: number, y: number, signal: AbortSignal): Promise<ArrayBuffer | ImageBitmap | null>;
}

type Fetch = (z: number, x: number, y: number, signal: AbortSignal) => Promise<ArrayBuffer | null>;

const EARTH_M = 6_378_245;
const E2 = 0.006693421622965943;
const radians = Math.PI / 180;

/** WGS-84 → GCJ-02, as `fences/src/coordinates.rs` has it; a test holds both to the same places. */
export function toGcj(lon: number, lat: number): [lon: number, lat: number] {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const [x, y] = [lon - 105, lat - 35];
  const wave = (v: number, [a, b]: [number, number], [p, q]: [number, number]) => ((a * Math.sin((v * Math.PI) / p) + b * Math.sin((v * Math.PI) / q)) * 2) / 3;
  const ripple = wave(x, [20, 20], [1 / 6, 0.5]);
  const northM = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + ripple + wave(y, [20, 40], [1, 3]) + wave(y, [160, 320], [12, 30]);
  const eastM = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + ripple + wave(x, [20, 40], [1, 3]) + wave(x, [150, 300], [12, 30]);
  const w2 = 1 - E2 * Math.sin(lat * radians) ** 2;
  const north = northM / (((EARTH_M * (1 - E2)) / (w2 * Math.sqrt(w2))) * radians);
  const east = eastM / ((EARTH_M / Math.sqrt(w2)) * Math.cos(lat * radians) * radians);
  return [lon + east, lat + north];
}

/** Web Mercator: tiles from the west and from the north. */
function toTiles(lon: number, lat: number, z: number): [x: number, y: number] {
  const n = 2 ** z;
  return [((lon + 180) / 360) * n, ((1 - Math.asinh(Math.tan(lat * radians)) / Math.PI) / 2) * n];
}

function middleOf(z: number, x: number, y: number): [lon: number, lat: number] {
  const n = 2 ** z;
  return [((x + 0.5) / n) * 360 - 180, Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + 0.5)) / n))) / radians];
}

/** A tile that a piece comes from, and where its corner is on the tile that is made, in tiles. */
export interface Piece { x: number; y: number; left: number; top: number }

/** What a tile is made of. Within one the shift differs by less than half a pixel, so that of its middle counts. */
export function piecesOf(z: number, x: number, y: number, pixels: number): Piece[] {
  const middle = middleOf(z, x, y);
  const [fromX, fromY] = toTiles(...middle, z);
  const [toX, toY] = toTiles(...toGcj(...middle), z);
  // Whole pixels: a picture that is moved by half of one is blurred.
  const [dx, dy] = [Math.round((toX - fromX) * pixels) / pixels, Math.round((toY - fromY) * pixels) / pixels];
  const [firstX, firstY] = [Math.floor(x + dx), Math.floor(y + dy)];
  const across = Number.isInteger(dx) ? [0] : [0, 1];
  const down = Number.isInteger(dy) ? [0] : [0, 1];
  return down.flatMap(j => across.map(i => ({ x: firstX + i, y: firstY + j, left: firstX + i - x - dx, top: firstY + j - y - dy })));
}

const PIXELS = 256;

async function moved(fetched: Fetch, z: number, x: number, y: number, signal: AbortSignal): Promise<ImageBitmap | null> {
  const pictures = await Promise.all(piecesOf(z, x, y, PIXELS).map(async piece => {
    const bytes = await fetched(z, piece.x, piece.y, signal);
    return bytes && { ...piece, picture: await createImageBitmap(new Blob([bytes])) };
  }));
  const first = pictures.find(one => one !== null);
  if (!first) return null;
  const size = first.picture.width;
  const canvas = new OffscreenCanvas(size, size);
  const pen = canvas.getContext('2d')!;
  for (const one of pictures) if (one) pen.drawImage(one.picture, Math.round(one.left * size), Math.round(one.top * size), size, size);
  return canvas.transferToImageBitmap();
}

/** Each picture is a file of its own. */
function folder({ path, zoom_max }: BaseMap): [Fetch, Omit<Base, 'tile' | 'attribution'>] {
  const fetched: Fetch = async (z, x, y, signal) => {
    const answer = await fetch(url(path.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y))), { signal });
    return answer.status === 200 ? answer.arrayBuffer() : null;
  };
  return [fetched, { kind: 'pictures', zoomMin: 0, zoomMax: zoom_max ?? 0, layers: [] }];
}

async function oneFile({ path }: BaseMap): Promise<[Fetch, Omit<Base, 'tile' | 'attribution'>]> {
  const file = new PMTiles({ getKey: () => path, getBytes: (offset, length, signal) => part(path, offset, length, signal) });
  const { tileType, minZoom, maxZoom } = await file.getHeader();
  const kind = tileType === TileType.Mvt ? 'vectors' : 'pictures';
  const said = kind === 'vectors' ? ((await file.getMetadata()) as { vector_layers?: { id: string }[] }) : {};
  const fetched: Fetch = async (z, x, y, signal) => (await file.getZxy(z, x, y, signal))?.data ?? null;
  return [fetched, { kind, zoomMin: minZoom, zoomMax: maxZoom, layers: said.vector_layers?.map(layer => layer.id) ?? [] }];
}

/** The map that the gateway tells of. Throws where it cannot be read. */
export async function open(map: BaseMap): Promise<Base> {
  const [fetched, about] = map.zoom_max === null ? await oneFile(map) : folder(map);
  const isMoved = map.coordinates === 'gcj02' && about.kind === 'pictures';
  return { ...about, attribution: map.attribution, tile: isMoved ? (...place) => moved(fetched, ...place) : fetched };
}
