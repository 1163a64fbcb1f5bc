// What the API says, by the names that the console uses: types of its OpenAPI document.
import type { FeatureCollection } from 'geojson';
import type { components } from './schema';

type Schemas = components['schemas'];
export type Severity = Schemas['Severity'];
export type Lamp = Schemas['Lamp'];
export type Ticket = Schemas['Ticket'];
export type Clock = Schemas['Clock'];
export type Offer = Schemas['Offer'];
export type JournalEntry = Schemas['JournalEntry'];
export type Alert = Schemas['Alert'];
export type Rule = Schemas['Rule'];
export type Silence = Schemas['Silence'];
export type Centre = Schemas['Centre'];
export type Loop = Schemas['Loop'];
export type Source = Schemas['Source'];
export type AuditEntry = Schemas['AuditEntry'];
export type Estate = Schemas['Estate'];
export type Element = Estate['elements'][number];
export type Table = Element['table'];
export type ConfigProblem = Schemas['ConfigProblem'];
export type ImportRow = Schemas['ImportRow'];
export type Backtest = Schemas['Backtest'];
export type BacktestDraft = Schemas['BacktestBody']['drafts'][number];
/** GeoJSON by its own types: the document only says that it is. */
export type Fences = FeatureCollection;
