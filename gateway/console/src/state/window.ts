// Which rows of a long list are drawn: those in sight and some beside. All rows are of one height.

/** Rows drawn above and below what is in sight. */
const BESIDE = 8;

export interface Windowed {
  /** First row that is drawn, and the one after the last. */
  from: number;
  to: number;
}

export function rowsInSight(n: number, rowPx: number, scrollPx: number, heightPx: number): Windowed {
  const from = Math.floor(scrollPx / rowPx) - BESIDE;
  const to = Math.ceil((scrollPx + heightPx) / rowPx) + BESIDE;
  return { from: Math.min(Math.max(from, 0), n), to: Math.min(Math.max(to, 0), n) };
}

/** How far to scroll so that a row is wholly in sight; as little as possible. */
export function scrollTo(row: number, rowPx: number, scrollPx: number, heightPx: number): number {
  const [top, bottom] = [row * rowPx, (row + 1) * rowPx];
  if (top < scrollPx) return top;
  if (bottom > scrollPx + heightPx) return bottom - heightPx;
  return scrollPx;
}
