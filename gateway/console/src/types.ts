// What the API says, by the names that the console uses.
export type Severity = 'minor' | 'moderate' | 'severe' | 'extreme';
export type Lamp = 'off' | 'green' | 'yellow' | 'red';

export interface Place {
  name: string | null;
  lon: number | null;
  lat: number | null;
  sight?: {
    bearing: number;
    bearing_error: number;
    distance_m: number | null;
    error: { major_m: number; minor_m: number; bearing: number } | null;
    grids: string[];
    flat: boolean;
  };
}

export interface Clock {
  of: string;
  lamp: Lamp;
  runs: 'always' | 'working';
  budget_ms: number;
  yellow_ms: number | null;
  due_ms: number | null;
  left_ms: number | null;
}

export interface Offer {
  move: string;
  needs: string[];
  takes: string[];
  check: boolean;
}

export interface Picture {
  role: 'before' | 'at' | 'after' | 'visible';
  source: string;
  at: string;
  path: string | null;
  missing: string | null;
}

export interface Ticket {
  id: string;
  no: number;
  title: string;
  stage: string;
  severity: Severity;
  category: string;
  why: string;
  rule: string;
  source: string;
  fence: string | null;
  alert: string;
  alert_cleared: boolean;
  place: Place;
  confidence?: { share: number; why: string };
  emergency: boolean;
  centre: string;
  lead: string | null;
  unit: string | null;
  extension: string | null;
  into: string | null;
  alerts: number;
  storm: 'on' | 'over' | null;
  counts: Record<string, number>;
  score: number | null;
  revision: number;
  open: boolean;
  snapshot: string | null;
  clip: string | null;
  clip_missing: string | null;
  pictures: Picture[];
  opened_ms: number;
  yellow_ms: number | null;
  due_ms: number | null;
  clocks: Clock[];
  moves: Offer[];
}

export interface JournalEntry {
  no: number;
  at: string;
  who: string;
  what: string;
  note: string;
}

export interface Alert {
  id: string;
  figures: { name: string; value: number | null; unit: string | null }[];
  since: string;
  opened: string;
  cleared: string | null;
  cleared_why: string | null;
  snapshot_missing: string | null;
  hold: { who: string; reason: string; since: string } | null;
}

export interface Rule {
  id: string;
  name: string;
  detect: Record<string, unknown>;
  findings: { confirmed: number; rejected: number; false_alarm_rate: number | null };
}

export interface Silence {
  no: number;
  rule: string | null;
  source: string | null;
  category: string | null;
  who: string;
  reason: string;
  since: string;
  until: string;
  on: boolean;
  withheld: number;
}

export interface Centre {
  id: string;
  name: string;
  level: string;
  green: number;
  yellow: number;
  red: number;
  standing: number;
  closed: { in_time: number; late: number };
  worst: { id: string; no: number; title: string; severity: Severity; stage: string; due_ms: number }[];
}

export interface Loop {
  stages: { stage: string; zh: string; timed: boolean }[];
  moves: { move: string; zh: string; from: string[]; to: string | null }[];
}

export interface Source {
  id: string;
  observations: number;
  rejected: number;
  last_reject: string | null;
  last_heard: string | null;
  last: null | 'picture' | 'thermal frame' | { lon: number; lat: number } | { metric: string; value: number | string | boolean; unit: string | null };
  link: { state: string; reason: string | null } | null;
  place: { lon: number; lat: number } | null;
}

export type Fences = import('geojson').FeatureCollection;
