// A camera: GStreamer's RTSP server (`../../tests/it/gst_camera.py`) with a ball that moves, at /live.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SCRIPT = join(import.meta.dirname, '../../tests/it/gst_camera.py');

export class Camera {
  private constructor(private readonly process: ChildProcess, readonly url: string) {}

  static async start(codec: 'h264' | 'h265' | 'mjpeg', account: [user: string, password: string] | [] = []): Promise<Camera> {
    const process = spawn('/usr/bin/python3', [SCRIPT, '0', codec, ...account], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(process, 'exit').then(() => Promise.reject(new Error('the camera does not start: is gst-rtsp-server installed?')));
    const [port] = await Promise.race([once(createInterface(process.stdout), 'line'), ended]) as [string];
    ended.catch(() => undefined);
    return new Camera(process, `rtsp://127.0.0.1:${port.trim()}/live`);
  }

  async close(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await gone;
  }
}
