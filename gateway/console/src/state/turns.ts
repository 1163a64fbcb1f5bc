// Work that is done so many at a time, the oldest first. Who does not want it any more leaves the line.

export class Turns {
  private n = 0;
  private readonly line: (() => void)[] = [];

  constructor(private readonly max: number) {}

  /** Waits for a turn, unless nobody wants it by then, which is null. */
  async take<T>(work: () => Promise<T>, isWanted: () => boolean = () => true): Promise<T | null> {
    if (this.n >= this.max) await new Promise<void>(go => this.line.push(go));
    else this.n += 1;
    try {
      return isWanted() ? await work() : null;
    } finally {
      // The turn goes to the next in line.
      const next = this.line.shift();
      if (next) next();
      else this.n -= 1;
    }
  }
}
