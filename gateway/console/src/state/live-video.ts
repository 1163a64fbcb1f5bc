// A camera's stream in a video element: taken as it comes, handed over as fast as the browser reads it, and kept near the present.
import { streamed } from '../api';

/** Farther behind the newest picture nobody watches live. */
const BEHIND_S_MAX = 3;
/** From there it goes on when it was behind. */
const BEHIND_S = 0.5;
/** What was seen is kept for so long, and thrown away so much at a time. */
const SEEN_S = 10;
const SEEN_S_MAX = 30;

/** Why a stream ended: the viewer was slow, the camera's session is over, or the line is cut. */
export type End = 'slow' | 'over' | 'cut';

/** What the browser cannot show, and the coding by the name that people know, where it has one. */
export class Unplayable extends Error {
  readonly codec: string | undefined;

  constructor(readonly type: string) {
    super(type);
    this.codec = codecOf(type);
  }
}

/** By the sample entry that a type names (RFC 6381; ISO 14496-15 for H.264 and H.265). */
export function codecOf(type: string): string | undefined {
  if (/codecs="?(hvc1|hev1)/.test(type)) return 'H.265';
  return /codecs="?avc[13]/.test(type) ? 'H.264' : undefined;
}

/** A `free` box with a word of four letters. */
const LAST_BYTES = 12;

/** What the last box says. */
export function endOf(tail: Uint8Array): End {
  const said = String.fromCharCode(...tail.slice(-LAST_BYTES));
  const word = said.startsWith('\0\0\0\u000cfree') ? said.slice(-4) : '';
  return word === 'slow' || word === 'over' ? word : 'cut';
}

/** Where to go on, and until when what was seen goes; nulls where nothing is to be done. */
export function kept(at: number, start: number, end: number): { seek: number | null; forget: number | null } {
  const isBehind = at < start || end - at > BEHIND_S_MAX;
  const now = isBehind ? Math.max(start, end - BEHIND_S) : at;
  return { seek: isBehind ? now : null, forget: now - start > SEEN_S_MAX ? now - SEEN_S : null };
}

function once(target: EventTarget, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    target.addEventListener(name, () => done(), { once: true, signal });
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
  });
}

/** Shows what comes until it ends, which is said, or until `signal`. Throws what the gateway says where it shows nothing. */
export async function play(video: HTMLVideoElement, path: string, query: Record<string, string>, signal: AbortSignal): Promise<End> {
  const answer = await streamed(path, query, signal);
  const type = answer.headers.get('content-type') ?? '';
  if (!answer.body || !('MediaSource' in window) || !MediaSource.isTypeSupported(type)) {
    await answer.body?.cancel();
    throw new Unplayable(type);
  }
  const reader = answer.body.getReader();
  const media = new MediaSource();
  const address = URL.createObjectURL(media);
  try {
    video.src = address;
    await once(media, 'sourceopen', signal);
    const buffer = media.addSourceBuffer(type);
    const done = () => once(buffer, 'updateend', signal);
    let tail = new Uint8Array();
    for (;;) {
      const { value } = await reader.read();
      if (!value) return endOf(tail);
      tail = value.length >= LAST_BYTES ? value.slice(-LAST_BYTES) : new Uint8Array([...tail, ...value]);
      const appended = done();
      buffer.appendBuffer(value);
      await appended;
      if (video.error || media.readyState !== 'open') throw new Unplayable(type);
      await keepNear(video, buffer, done);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
    URL.revokeObjectURL(address);
  }
}

async function keepNear(video: HTMLVideoElement, buffer: SourceBuffer, done: () => Promise<void>): Promise<void> {
  const { buffered } = buffer;
  if (buffered.length === 0) return;
  const start = buffered.start(0);
  const { seek, forget } = kept(video.currentTime, start, buffered.end(buffered.length - 1));
  if (seek !== null) video.currentTime = seek;
  if (forget === null) return;
  const removed = done();
  buffer.remove(start, forget);
  await removed;
}
