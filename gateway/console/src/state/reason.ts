// Why an alert opened or ended, in the reader's language. The gateway says it in English sentences of few shapes; each shape has its
// text in the catalogue. What has another shape, as what people wrote, is shown as it is.
import type { JournalEntry, Ticket } from '../types';
import { t, te } from '../words';

/** As it signs what it does by itself. */
const GATEWAY = 'outpost';

const SPAN = String.raw`\d+(?:\.\d)? s`;

/** Shapes in which a time belongs to the sentence; before the others, which may be followed by how long they held. */
const TIMED: [shape: string, key: string][] = [
  [`nothing came for (?<lasts>${SPAN})`, 'silent'],
  [`no picture for (?<lasts>${SPAN})`, 'dark'],
  [`no picture for (?<lasts>${SPAN}): (?<cause>\\w+)`, 'darkBecause'],
  [`(?<metric>.+) has stayed at (?<value>.+) for (?<lasts>${SPAN})`, 'flat'],
  [`stays in (?<zone>.+) for (?<lasts>${SPAN})`, 'loitering'],
  [`something was left in (?<zone>.+), (?<lasts>${SPAN}) ago`, 'objectLeft'],
];

const HELD: [shape: string, key: string][] = [
  [String.raw`(?<reading>.+), (?<n>\d+) times (?<side>above|below) (?<limit>.+) of late`, 'nOfM'],
  [String.raw`(?<metric>.+) (?<side>above|below) (?<limit>.+) (?<n>\d+) times within (?<lasts>${SPAN})`, 'countBeyond'],
  [String.raw`(?<metric>.+) (?<n>\d+) times within (?<lasts>${SPAN})`, 'count'],
  [String.raw`(?<n>\d+) crossed (?<line>.+) within (?<lasts>${SPAN})`, 'counting'],
  [String.raw`(?<reading>.+) (?<turn>falls|rises) by (?<rate>.+) a second`, 'slope'],
  [String.raw`(?<reading>.+), usual is (?<usual>.+) \((?<sigma>.+) sigma\)`, 'unusual'],
  [String.raw`(?<reading>.+): unlike all before, which was (?<low>.+) to (?<high>.+) so far`, 'novel'],
  [String.raw`(?<reading>.+): its mean of late is (?<seen>.+), which was (?<low>.+) to (?<high>.+) so far at this hour`, 'novelHour'],
  [String.raw`(?<reading>.+): its mean of late is (?<seen>.+), (?<low>.+) to (?<high>.+) so far`, 'novelLevel'],
  [String.raw`(?<reading>.+): its changes are (?<seen>.+) on a scale that was (?<low>.+) to (?<high>.+) so far`, 'novelNoise'],
  [String.raw`(?<reading>.+): off by (?<seen>.+) for this hour of the (?<cycle>day|week), (?<low>.+) to (?<high>.+) so far`, 'novelCycle'],
  [String.raw`(?<reading>.+): said (?<seen>.+) times in a row, (?<low>.+) to (?<high>.+) so far`, 'novelStuck'],
  [String.raw`(?<reading>.+) (?<side>above|below) (?<limit>.+)`, 'threshold'],
  ['something moves in (?<zone>.+)', 'intrusion'],
  [String.raw`(?<n>\d+) in (?<zone>.+)`, 'crowd'],
  [String.raw`(?<share>\d+) % of (?<zone>.+) is covered`, 'covered'],
  ['crossed (?<line>.+) from (?<way>left to right|right to left)', 'crossedWay'],
  ['crossed (?<line>.+)', 'crossed'],
  ['moves against (?<line>.+)', 'wrongWay'],
  ['something is gone from (?<zone>.+)', 'objectRemoved'],
  ['entered (?<fence>.+)', 'entered'],
  ['left (?<fence>.+)', 'left'],
  ['inside (?<fence>.+)', 'inside'],
  ['outside (?<fence>.+)', 'outside'],
  ['first heard of inside (?<fence>.+)', 'found'],
  ['passed through (?<fence>.+) between two positions', 'passed'],
  [String.raw`stayed within (?<m>[\d.]+) m of one place`, 'dwell'],
  [String.raw`stayed within (?<m>[\d.]+) m of one place in (?<fence>.+)`, 'dwellIn'],
  [String.raw`(?<speed>\d+ km/h) in (?<fence>.+), (?<limit>\d+) allowed`, 'speeding'],
  [String.raw`more than \d+ km/h in (?<fence>.+), (?<limit>\d+) allowed`, 'speedingMore'],
  [String.raw`within (?<m>\d+) m of (?<other>.+)`, 'approach'],
  ['together: (?<names>.+)', 'together'],
  ['nothing moves in (?<zone>.+)', 'intrusionOver'],
  ['nobody stays in (?<zone>.+)', 'loiteringOver'],
  ['no longer crowded in (?<zone>.+)', 'crowdOver'],
  ['(?<line>.+) was not crossed again', 'crossedOver'],
  ['nothing moves against (?<line>.+)', 'wrongWayOver'],
  ['nothing stands in (?<zone>.+)', 'objectLeftOver'],
  ['nothing more is gone from (?<zone>.+)', 'objectRemovedOver'],
  ['the picture is too dark', 'tooDark'],
  ['the picture is too bright', 'tooBright'],
  ['the picture is frozen', 'frozen'],
  ['the picture is too blurry', 'tooBlurry'],
  ['the camera is covered', 'cameraCovered'],
  ['the camera looks elsewhere', 'moved'],
  ['the picture as a whole is another', 'sceneChange'],
  ['condition holds', 'holds'],
  ['condition is over', 'over'],
  ['heard again', 'silentOver'],
  ['pictures again', 'darkOver'],
  ['sees again', 'sightOver'],
  ['off duty', 'offDuty'],
  ['apart again', 'approachOver'],
  ['no longer together', 'togetherOver'],
  ['moved on', 'dwellOver'],
  ['not crossed again', 'crossOver'],
  ['no longer so fast', 'speedingOver'],
  ['counted anew', 'countingOver'],
];

const compiled = (shapes: [string, string][]) => shapes.map(([shape, key]) => [new RegExp(`^${shape}$`), key] as const);
const TIMED_SHAPES = compiled(TIMED), HELD_SHAPES = compiled(HELD);
const FLAPS = new RegExp(`^(?<what>.+); (?<n>\\d+) times within (?<lasts>${SPAN}), stays open until it rests for as long$`);
const HOLDS = new RegExp(`^(?<what>.+) for (?<lasts>${SPAN})$`);
const HEAT = new RegExp('^(?:(?<area>[^:]+): )?(?<max>-?[\\d.]+ °C|level \\d+ of 255)(?: over a background of (?<base>-?[\\d.]+ °C|level \\d+ of 255))?'
  + '(?:, (?<n>\\d+) pixels)?(?:, (?<k>-?[\\d.]+) K over (?<other>.+?))?(?<relative> \\(white-hot video: .+\\))?$');

type Parts = Record<string, string | undefined>;

/** `1800 s` is half an hour. */
function spoken(span: string): string {
  const seconds = parseFloat(span);
  if (seconds >= 7_200 && seconds % 3_600 === 0) return t('reason.hours', { n: seconds / 3_600 });
  if (seconds >= 120 && seconds % 60 === 0) return t('reason.minutes', { n: seconds / 60 });
  return t('reason.seconds', { n: seconds });
}

function level(text: string): string {
  const n = /^level (\d+) of 255$/.exec(text)?.[1];
  return n === undefined ? text : t('reason.level', { n });
}

/** What is in a sentence by its own words. */
function values(parts: Parts): Record<string, string> {
  const one = (key: string, text: string): string => {
    if (key === 'lasts') return spoken(text);
    if (key === 'zone' && text === 'the picture') return t('reason.picture');
    if (key === 'line' && text === 'the line') return t('reason.line');
    if (['side', 'turn', 'cycle'].includes(key)) return t(`reason.${text}`);
    if (key === 'way') return t(text === 'left to right' ? 'reason.toRight' : 'reason.toLeft');
    if (key === 'cause') return te(`import.why.${text}`) ? t(`import.why.${text}`) : te(`sources.states.${text}`) ? t(`sources.states.${text}`) : text;
    return text;
  };
  return Object.fromEntries(Object.entries(parts).flatMap(([key, text]) => (text === undefined ? [] : [[key, one(key, text)]])));
}

function shaped(text: string, shapes: typeof HELD_SHAPES): string | undefined {
  for (const [shape, key] of shapes) {
    const found = shape.exec(text);
    if (found) return t(`reason.${key}`, values(found.groups ?? {}));
  }
  return undefined;
}

function heat(text: string): string | undefined {
  const found = HEAT.exec(text)?.groups as Parts | undefined;
  if (!found) return undefined;
  const { area, max, base, n, k, other, relative } = found;
  const facts = [
    base ? t('reason.heatBase', { max: level(max!), base: level(base) }) : level(max!), n && t('reason.heatPixels', { n }),
    k && t('reason.heatOver', { k, other: other! }), relative && t('reason.heatRelative'),
  ].filter(Boolean).join(t('reason.and'));
  return area ? t('reason.heatIn', { area, facts }) : facts;
}

function ofShape(text: string): string | undefined {
  const flaps = FLAPS.exec(text)?.groups;
  const what = flaps && ofShape(flaps.what!);
  if (what) return t('reason.flapping', { ...values(flaps), what });
  const whole = shaped(text, TIMED_SHAPES);
  if (whole) return whole;
  const holds = HOLDS.exec(text)?.groups;
  const base = holds && (shaped(holds.what!, HELD_SHAPES) ?? heat(holds.what!));
  return base ? t('reason.held', { what: base, lasts: spoken(holds.lasts!) }) : (shaped(text, HELD_SHAPES) ?? heat(text));
}

export function reasonOf(text: string): string {
  return ofShape(text) ?? text;
}

/** Of a ticket: what a person reported is in their own words. */
export function whyOf({ alert, why }: Pick<Ticket, 'alert' | 'why'>): string {
  return alert ? reasonOf(why) : why;
}

/** What the gateway wrote into a journal, and what people did. */
export function noteOf({ who, note }: Pick<JournalEntry, 'who' | 'note'>): string {
  return who === GATEWAY ? reasonOf(note) : note;
}
