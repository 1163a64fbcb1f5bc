// What the API says, by the names that the console uses: types of its OpenAPI document.
import type { FeatureCollection } from 'geojson';
import type { components, paths } from './schema';

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
export type BaseMap = Schemas['BaseMap'];
export type Source = Schemas['Source'];
export type AuditEntry = Schemas['AuditEntry'];
export type Estate = Schemas['Estate'];
export type Element = Estate['elements'][number];
export type Table = Element['table'];
export type ConfigProblem = Schemas['ConfigProblem'];
export type ImportRow = Schemas['ImportRow'];
export type Contact = Schemas['Contact'];
export type Backtest = Schemas['Backtest'];
export type BacktestDraft = Schemas['BacktestBody']['drafts'][number];
export type Suggestion = Schemas['Suggestion'];
export type ClassCase = Schemas['ClassCase'];
export type ClassTicket = Schemas['ClassTicket'];
export type Change = Schemas['Change'];
export type Pairs = Schemas['Pairs'];
export type Formula = Schemas['Formula'];
export type Count = Schemas['Count'];
export type Series = Schemas['Series'];
export type ScoreRow = Schemas['ScoreRow'];

/** What a path answers to GET. */
type Answer<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer A } } } } } ? A : never;
export type Suggestions = Answer<'/api/v1/tickets/{no}/suggestions'>;
export type ClassAnswer = Answer<'/api/v1/classes/{no}'>;
export type PatternsAnswer = Answer<'/api/v1/classes/patterns'>;
export type TraceAnswer = Answer<'/api/v1/alerts/{id}/trace'>;
export type OfficersAnswer = Answer<'/api/v1/officers'>;
export type ScoresAnswer = Answer<'/api/v1/scores'>;
export type BehindAnswer = Answer<'/api/v1/scores/tickets'>;
/** GeoJSON by its own types: the document only says that it is. */
export type Fences = FeatureCollection;
