// What was done and not yet told: kept on the phone first, then sent in order, one at a time, each under a key of its own, so
// that what is sent twice is done once. Plain logic: where it is kept and how it is sent comes in.

export type Deed =
  | { do: 'move'; ticket: number; move: string; said: Record<string, unknown>; photos?: { before: string; after: string } }
  | { do: 'file'; ticket: number | null; report?: string; kind: FileKind; blob: Blob | null }
  | { do: 'report'; body: Record<string, unknown> }
  | { do: 'positions'; fixes: Fix[] }
  | { do: 'duty'; on: boolean };

export type FileKind = 'before' | 'after' | 'photo' | 'voice';

export interface Fix {
  lon: number;
  lat: number;
  accuracy_m: number | null;
  at: string;
}

export interface Entry {
  /** In this order. */
  seq: number;
  /** Names the request: told again, it is done once. */
  key: string;
  who: string;
  atMs: number;
  /** What it is about: what is refused holds back what follows of the same. */
  subject: string;
  /** Keys of entries whose results it takes. */
  needs: string[];
  deed: Deed;
  state: 'waiting' | 'refused' | 'done';
  tries: number;
  /** What the gateway said against it. */
  refusal: string;
  result: Result;
}

/** What later entries may need of an earlier one. */
export interface Result {
  ticket?: number;
  url?: string;
}

export interface Shelf {
  /** In order. */
  all(): Promise<Entry[]>;
  /** Gives it its place in the order. */
  add(entry: Omit<Entry, 'seq'>): Promise<Entry>;
  put(entry: Entry): Promise<void>;
  drop(seq: number): Promise<void>;
}

/** Rejects with the status of the answer, 0 where there was none. */
export type Send = (entry: Entry, resultOf: (key: string) => Result) => Promise<Result>;

export interface Refused {
  status: number;
  message: string;
}

/** Entries that wait; further ones are refused at once, with all that was done still there. */
export const ENTRIES_MAX = 1_000;
/** Positions of one request. */
export const FIXES_MAX = 500;
/** The gateway remembers keys for longer than this. */
export const AGE_MAX_MS = 6 * 86_400_000;
const WAIT_MS_MIN = 1_000;
const WAIT_MS_MAX = 60_000;

/** Said in a refusal that is the page's own; texts are the catalogue's. */
export const TOO_OLD = 'too-old';

/** Whether the gateway will say the same again: not where it is busy, away, or does not know the token. */
export function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
}

export function waitMs(tries: number): number {
  return Math.min(WAIT_MS_MIN * 2 ** Math.max(tries - 1, 0), WAIT_MS_MAX);
}

export class Queue {
  entries: Entry[] = [];
  /** Until when nothing is sent. */
  private restsUntilMs = 0;
  private running: Promise<void> | null = null;

  constructor(
    private readonly shelf: Shelf,
    private readonly send: Send,
    private readonly nowMs: () => number,
    private readonly changed: () => void,
  ) {}

  async load(): Promise<void> {
    this.entries = await this.shelf.all();
    this.changed();
  }

  /** On the phone when it returns. */
  async add(key: string, who: string, subject: string, deed: Deed, needs: string[] = []): Promise<Entry> {
    if (this.waiting().length >= ENTRIES_MAX) throw new Error('full');
    const entry = await this.shelf.add({
      key, who, subject, deed, needs, atMs: this.nowMs(), state: 'waiting', tries: 0, refusal: '', result: {},
    });
    this.entries.push(entry);
    this.changed();
    return entry;
  }

  /** Where the last entry is positions that were never tried, one more of them; else an entry of its own. */
  async addFix(key: string, who: string, fix: Fix): Promise<void> {
    const last = this.entries.at(-1);
    if (last && last.state === 'waiting' && last.tries === 0 && last.who === who && last.deed.do === 'positions' && last.deed.fixes.length < FIXES_MAX) {
      last.deed.fixes.push(fix);
      await this.shelf.put(last);
    } else {
      await this.add(key, who, 'positions', { do: 'positions', fixes: [fix] });
    }
  }

  waiting(): Entry[] {
    return this.entries.filter(entry => entry.state === 'waiting');
  }

  refused(): Entry[] {
    return this.entries.filter(entry => entry.state === 'refused');
  }

  /** How long to wait before it is worth trying again; null where nothing waits. */
  restMs(): number | null {
    return this.next() ? Math.max(this.restsUntilMs - this.nowMs(), 0) : null;
  }

  /** There may be a network again: what rests is tried at once. */
  wake(): void {
    this.restsUntilMs = 0;
  }

  /** Sends all that can be sent now. Whoever calls while it runs waits for the same run. */
  run(): Promise<void> {
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async drain(): Promise<void> {
    for (;;) {
      const entry = this.next();
      if (!entry || this.restsUntilMs > this.nowMs()) return;
      if (this.nowMs() - entry.atMs > AGE_MAX_MS) {
        await this.refuse(entry, TOO_OLD);
        continue;
      }
      // Before the first byte leaves: what was tried never changes.
      entry.tries++;
      await this.shelf.put(entry);
      try {
        entry.result = await this.send(entry, key => this.byKey(key)?.result ?? {});
        await this.done(entry);
        this.restsUntilMs = 0;
      } catch (cause) {
        const { status, message } = cause as Refused;
        if (typeof status !== 'number') throw cause;
        if (isRefusal(status)) {
          await this.refuse(entry, message);
        } else {
          this.restsUntilMs = this.nowMs() + waitMs(entry.tries);
          this.changed();
          return;
        }
      }
    }
  }

  /** The first that waits for nothing but the network. */
  private next(): Entry | undefined {
    const held = new Set<string>();
    for (const entry of this.entries) {
      if (entry.state === 'refused') held.add(entry.subject);
      if (entry.state !== 'waiting' || held.has(entry.subject)) continue;
      if (entry.needs.every(key => this.byKey(key)?.state === 'done')) return entry;
      // What it needs was refused, or waits itself.
      held.add(entry.subject);
    }
    return undefined;
  }

  /** Asks again for what was refused. Under another key: what was refused under the old one had no effect. */
  async again(seq: number, key: string): Promise<void> {
    const entry = this.entries.find(entry => entry.seq === seq && entry.state === 'refused');
    if (!entry) return;
    for (const other of this.entries.filter(other => other.needs.includes(entry.key))) {
      other.needs = other.needs.map(need => (need === entry.key ? key : need));
      if (other.deed.do === 'file' && other.deed.report === entry.key) other.deed.report = key;
      if (other.deed.do === 'move' && other.deed.photos) {
        const { before, after } = other.deed.photos;
        other.deed.photos = { before: before === entry.key ? key : before, after: after === entry.key ? key : after };
      }
      await this.shelf.put(other);
    }
    Object.assign(entry, { key, state: 'waiting', refusal: '', tries: 0 });
    await this.shelf.put(entry);
    this.changed();
  }

  /** Gives up what was refused, with all that needs it. */
  async giveUp(seq: number): Promise<void> {
    const entry = this.entries.find(entry => entry.seq === seq);
    if (!entry) return;
    for (const other of this.entries.filter(other => other.state !== 'done' && other.needs.includes(entry.key))) {
      await this.giveUp(other.seq);
    }
    await this.remove(entry);
    this.changed();
  }

  /** Forgets what is done of subjects that are not in sight any more. */
  async tidy(isInSight: (subject: string) => boolean): Promise<void> {
    for (const entry of [...this.entries]) {
      if (entry.state === 'done' && !this.isNeeded(entry) && !isInSight(entry.subject)) await this.remove(entry);
    }
    this.changed();
  }

  byKey(key: string): Entry | undefined {
    return this.entries.find(entry => entry.key === key);
  }

  private isNeeded(entry: Entry): boolean {
    return this.entries.some(other => other.state !== 'done' && other.needs.includes(entry.key));
  }

  private async done(entry: Entry): Promise<void> {
    entry.state = 'done';
    // A photo of a task is referred to as long as the task is in sight.
    if (entry.deed.do === 'file' || this.isNeeded(entry)) {
      if (entry.deed.do === 'file') entry.deed.blob = null;
      await this.shelf.put(entry);
    } else {
      await this.remove(entry);
    }
    this.changed();
  }

  private async refuse(entry: Entry, refusal: string): Promise<void> {
    entry.state = 'refused';
    entry.refusal = refusal;
    await this.shelf.put(entry);
    this.changed();
  }

  private async remove(entry: Entry): Promise<void> {
    await this.shelf.drop(entry.seq);
    this.entries = this.entries.filter(other => other !== entry);
  }
}
