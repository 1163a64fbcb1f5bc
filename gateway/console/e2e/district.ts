// A district with people, for journeys that the demo has none for: a pump station that speaks MQTT to the gateway's own listener,
// officers with terminals, and reports of citizens by another system.
import { freePort, Gateway } from './gateway';

/** Reports of citizens, by another system. */
export const HOTLINE = `
[[intake]]
id = "hotline"
items = "/rows"
key = "/no"
title = "/title"
lon = "/lon"
lat = "/lat"
kinds = [{ category = "roads/pothole", severity = "moderate" }]
`;

/** Longitude and latitude of the pump station, and how much is some 100 m. */
export const PUMP = [106.0523, 29.8467] as const;
export const DEGREES_100_M = 0.0009;

const GRIDS = {
  type: 'FeatureCollection',
  features: [{
    type: 'Feature', id: 'east', properties: { name: '东城网格' },
    geometry: { type: 'Polygon', coordinates: [[[106.0, 29.8], [106.1, 29.8], [106.1, 29.9], [106.0, 29.9], [106.0, 29.8]]] },
  }],
};

const district = (port: number) => `
[district]
id = "tongliang"
name = "铜梁区"

[desk.officers]
position_every = "1s"

[desk.classes]
n = 3

[[centres]]
id = "district"
name = "区指挥中心"
level = "district"

[[centres]]
id = "east"
name = "东城街道"
level = "town"
parent = "district"
duties = ["#"]

[[people]]
id = "zhou"
name = "周值班"
centre = "district"
roles = ["officer", "clerk", "chief", "dispatcher"]

[[people]]
id = "wang"
name = "王核查"
centre = "district"
roles = ["officer", "chief"]

[[people]]
id = "li"
name = "李明"
centre = "east"
roles = ["handler"]
unit = "一分队"
terminal = "gps/li"

[[people]]
id = "wu"
name = "吴刚"
centre = "east"
roles = ["handler"]
unit = "二分队"
terminal = "gps/wu"

[[listeners]]
id = "devices"
listen = "127.0.0.1:${port}"
anonymous = ["#"]

[[feeds]]
id = "machine"
broker = "devices"
topics = ["machine/+"]
source = "machine/{1}"
format = { kind = "number", metric = "temperature", unit = "[degF]" }

[[feeds]]
id = "terminals"
broker = "devices"
topics = ["gps/+"]
source = "gps/{1}"
format = { kind = "owntracks" }

[[sources]]
id = "machine/pump"
name = "泵房 2 号机组"
place = [${PUMP.join(', ')}]

[[fences]]
file = "grids.geojson"
grids = true

[[rules]]
id = "machine-hot"
name = "机组过热"
sources = ["machine/+"]
detect = { kind = "threshold", metric = "temperature", above = 102.0, unit = "[degF]" }
severity = "severe"
category = "industry/overheat"
confidence = 0.4

${HOTLINE}`;

export interface District {
  gateway: Gateway;
  /** Of the listener. */
  port: number;
}

export async function start(): Promise<District> {
  const port = await freePort();
  const gateway = await Gateway.run({ 'district.toml': district(port), 'grids.geojson': JSON.stringify(GRIDS) });
  return { gateway, port };
}

/** So many reports of citizens about one place, each a ticket. */
export async function report(gateway: Gateway, n: number): Promise<void> {
  const [lon, lat] = PUMP;
  const rows = Array.from({ length: n }, (_, i) => ({ no: `R-${i}`, title: `路面坑洼 ${i}`, lon: lon + (i * DEGREES_100_M) / 50, lat }));
  await gateway.post('intake/hotline', { rows });
}
