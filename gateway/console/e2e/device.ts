// A device that publishes to the gateway's own listener: MQTT 3.1.1 with QoS 1, no more of it than that takes.
// OASIS MQTT 3.1.1: https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
import { connect, type Socket } from 'node:net';
import { DEADLINE_MS } from './deadline';

const CONNECT = 0x10, CONNACK = 0x20, PUBLISH_QOS1 = 0x32, PUBACK = 0x40;
const KEEP_ALIVE_S = 60;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** 2.2.3: seven bits of the length in each byte. */
function packet(type: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let left = body.length; ; left >>= 7) {
    length.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

export class Device {
  private nSent = 0;
  /** Packets of four bytes each are all that comes: CONNACK and PUBACK. */
  private heard = Buffer.alloc(0);
  private waiting: ((answer: Buffer) => void) | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('data', bytes => {
      this.heard = Buffer.concat([this.heard, bytes]);
      while (this.heard.length >= 4 && this.waiting) {
        const answered = this.waiting;
        this.waiting = undefined;
        answered(this.heard.subarray(0, 4));
        this.heard = this.heard.subarray(4);
      }
    });
  }

  static async connect(port: number, name: string): Promise<Device> {
    const socket = connect(port, '127.0.0.1');
    const device = new Device(socket);
    const clean = 0x02;
    const greeting = Buffer.concat([text('MQTT'), Buffer.from([4, clean, 0, KEEP_ALIVE_S]), text(name)]);
    await device.exchange(packet(CONNECT, greeting), Buffer.from([CONNACK, 2, 0, 0]));
    return device;
  }

  /** Comes back when the message is on the gateway's disk. */
  async publish(topic: string, payload: object | string): Promise<void> {
    const id = (this.nSent++ % 0xffff) + 1;
    const said = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    const name = Buffer.from([id >> 8, id & 0xff]);
    await this.exchange(packet(PUBLISH_QOS1, Buffer.concat([text(topic), name, said])), Buffer.concat([Buffer.from([PUBACK, 2]), name]));
  }

  close(): void {
    this.socket.destroy();
  }

  private async exchange(sent: Buffer, expected: Buffer): Promise<void> {
    const answer = await new Promise<Buffer>((done, fail) => {
      const timer = setTimeout(() => fail(new Error('the listener does not answer')), DEADLINE_MS);
      this.socket.once('error', fail).once('close', () => fail(new Error('the listener hung up')));
      this.waiting = bytes => {
        clearTimeout(timer);
        this.socket.removeAllListeners('error').removeAllListeners('close');
        done(bytes);
      };
      this.socket.write(sent);
    });
    if (!answer.equals(expected)) throw new Error(`the listener says ${answer.toString('hex')}, not ${expected.toString('hex')}`);
  }
}
