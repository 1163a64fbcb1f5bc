// Months and days by the calendar of this browser, as the API takes them: the gateway reads a date in its desk's own zone.

const two = (n: number) => String(n).padStart(2, '0');

/** 2026-11: the month so many before that of the instant. */
export function monthOf(atMs: number, before = 0): string {
  const at = new Date(atMs);
  const first = new Date(at.getFullYear(), at.getMonth() - before, 1);
  return `${first.getFullYear()}-${two(first.getMonth() + 1)}`;
}

/** The first day of a month, and that of the next, before which it ends. */
export function datesOf(month: string): { from: string; to: string } {
  const [year, number] = month.split('-').map(Number) as [number, number];
  const next = number === 12 ? `${year + 1}-01` : `${year}-${two(number + 1)}`;
  return { from: `${month}-01`, to: `${next}-01` };
}
