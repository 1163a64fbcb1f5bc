// A district with very many sensors, each of which spoke once: SenML packs, hundreds of sensors in each.
import { Device } from './device';
import { freePort, Gateway } from './gateway';

const PACK = 500;

/** `place` says where each stands: longitude, latitude. */
export async function start(n: number, place: (i: number) => [number, number]): Promise<Gateway> {
  const port = await freePort();
  const sources = Array.from({ length: n }, (_, i) => `[[sources]]\nid = "sensor/${i}"\nplace = [${place(i).map(x => x.toFixed(4)).join(', ')}]\n`);
  const gateway = await Gateway.run({ 'district.toml': `${sources.join('')}
[[listeners]]
id = "devices"
listen = "127.0.0.1:${port}"
anonymous = ["#"]
[[feeds]]
id = "sensors"
broker = "devices"
topics = ["senml"]
source = "{name}"
format = { kind = "senml" }
` });
  const device = await Device.connect(port, 'sensors');
  for (let from = 0; from < n; from += PACK) {
    await device.publish('senml', Array.from({ length: Math.min(PACK, n - from) }, (_, i) => ({ n: `sensor/${from + i}`, v: i % 7 })));
  }
  device.close();
  return gateway;
}
