// A ticket as the API says it, with what a test wants to be different.
import type { Ticket } from '../types';

export function ticket(no: number, changes: Partial<Ticket> = {}): Ticket {
  return {
    id: `T-${no}`, no, title: 'gas in tunnel', stage: 'reported', severity: 'moderate', category: 'underground/gas', why: 'ch4 1.2 %LEL above 1 %LEL',
    rule: 'gas', source: 'tunnel/7/ch4', fence: null, alert: `A-${no}`, alert_cleared: false, place: { name: null, lon: null, lat: null },
    emergency: false, centre: 'east', lead: null, unit: null, opened: '', due: null, closed: null, extension: null, into: null, alerts: 1,
    storm: null, counts: {}, score: null, revision: 1, open: true, snapshot: null, clip: null, clip_missing: null, pictures: [], lamp: 'green', opened_ms: 0,
    yellow_ms: 1_000, due_ms: 2_000, clocks: [], moves: [], ...changes,
  } as Ticket;
}
