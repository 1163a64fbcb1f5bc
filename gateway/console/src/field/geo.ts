// Distances and the drawing of a track. WGS-84 degrees, metres; exact enough for a district.
export interface Spot {
  lon: number;
  lat: number;
}

const EARTH_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** By the haversine formula. */
export function distanceM(a: Spot, b: Spot): number {
  const [lat, otherLat] = [a.lat * RADIANS, b.lat * RADIANS];
  const h = Math.sin((otherLat - lat) / 2) ** 2 + Math.cos(lat) * Math.cos(otherLat) * Math.sin(((b.lon - a.lon) * RADIANS) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** How exactly a distance is worth being told. */
export function roundM(metres: number): { n: string; isKm: boolean } {
  if (metres >= 10_000) return { n: String(Math.round(metres / 1_000)), isKm: true };
  if (metres >= 1_000) return { n: (metres / 1_000).toFixed(1), isKm: true };
  return { n: String(Math.round(metres / 10) * 10), isKm: false };
}

export function lengthM(track: Spot[]): number {
  return track.slice(1).reduce((sum, spot, i) => sum + distanceM(track[i]!, spot), 0);
}

/** What opens a map application there (RFC 5870). */
export function geoUri(spot: Spot): string {
  const { lon, lat } = spot;
  return `geo:${lat.toFixed(6)},${lon.toFixed(6)}?q=${lat.toFixed(6)},${lon.toFixed(6)}`;
}

/** Places of a box of this size, north up, all of them within `margin` of its border; one place is its middle. */
export function fitted(spots: Spot[], width: number, height: number, margin: number): { x: number; y: number }[] {
  if (spots.length === 0) return [];
  const [lons, lats] = [spots.map(spot => spot.lon), spots.map(spot => spot.lat)];
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)];
  const narrow = Math.cos(((south + north) / 2) * RADIANS);
  const [w, h] = [(east - west) * narrow, north - south];
  const scale = Math.min((width - 2 * margin) / (w || 1e-9), (height - 2 * margin) / (h || 1e-9));
  const place = (at: number, middle: number, size: number, factor: number) => size / 2 + (at - middle) * factor * scale;
  return spots.map(spot => ({
    x: w === 0 ? width / 2 : place(spot.lon, (west + east) / 2, width, narrow),
    y: h === 0 ? height / 2 : place(spot.lat, (south + north) / 2, height, -1),
  }));
}
