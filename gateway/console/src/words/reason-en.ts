// English: why alerts open and end. As the gateway says it.
import type { ReasonWords } from './reason-zh';

export const reason: ReasonWords = {
  held: '{what} for {lasts}', flapping: '{what}; {n} times within {lasts}, stays open until it rests for as long', and: ', ',
  seconds: '{n} s', minutes: '{n} min', hours: '{n} h', picture: 'the picture', line: 'the line', above: 'above', below: 'below', falls: 'falls', rises: 'rises',
  day: 'day', week: 'week', toRight: 'left to right', toLeft: 'right to left', level: 'level {n} of 255',
  silent: 'nothing came for {lasts}', dark: 'no picture for {lasts}', darkBecause: 'no picture for {lasts}: {cause}', flat: '{metric} has stayed at {value} for {lasts}',
  loitering: 'stays in {zone} for {lasts}', objectLeft: 'something was left in {zone}, {lasts} ago', nOfM: '{reading}, {n} times {side} {limit} of late',
  countBeyond: '{metric} {side} {limit} {n} times within {lasts}', count: '{metric} {n} times within {lasts}', counting: '{n} crossed {line} within {lasts}',
  slope: '{reading} {turn} by {rate} a second', unusual: '{reading}, usual is {usual} ({sigma} sigma)',
  novel: '{reading}: unlike all before, which was {low} to {high} so far', novelHour: '{reading}: its mean of late is {seen}, which was {low} to {high} so far at this hour',
  novelLevel: '{reading}: its mean of late is {seen}, {low} to {high} so far', novelNoise: '{reading}: its changes are {seen} on a scale that was {low} to {high} so far',
  novelCycle: '{reading}: off by {seen} for this hour of the {cycle}, {low} to {high} so far', novelStuck: '{reading}: said {seen} times in a row, {low} to {high} so far',
  threshold: '{reading} {side} {limit}', intrusion: 'something moves in {zone}', crowd: '{n} in {zone}', covered: '{share} % of {zone} is covered',
  crossedWay: 'crossed {line} from {way}', crossed: 'crossed {line}', wrongWay: 'moves against {line}', objectRemoved: 'something is gone from {zone}',
  entered: 'entered {fence}', left: 'left {fence}', inside: 'inside {fence}', outside: 'outside {fence}', found: 'first heard of inside {fence}',
  passed: 'passed through {fence} between two positions', dwell: 'stayed within {m} m of one place', dwellIn: 'stayed within {m} m of one place in {fence}',
  speeding: '{speed} in {fence}, {limit} allowed', speedingMore: 'more than {limit} km/h in {fence}, {limit} allowed', approach: 'within {m} m of {other}',
  together: 'together: {names}', intrusionOver: 'nothing moves in {zone}', loiteringOver: 'nobody stays in {zone}', crowdOver: 'no longer crowded in {zone}',
  crossedOver: '{line} was not crossed again', wrongWayOver: 'nothing moves against {line}', objectLeftOver: 'nothing stands in {zone}',
  objectRemovedOver: 'nothing more is gone from {zone}', tooDark: 'the picture is too dark', tooBright: 'the picture is too bright', frozen: 'the picture is frozen',
  tooBlurry: 'the picture is too blurry', cameraCovered: 'the camera is covered', moved: 'the camera looks elsewhere', sceneChange: 'the picture as a whole is another',
  holds: 'condition holds', over: 'condition is over', silentOver: 'heard again', darkOver: 'pictures again', sightOver: 'sees again', offDuty: 'off duty',
  approachOver: 'apart again', togetherOver: 'no longer together', dwellOver: 'moved on', crossOver: 'not crossed again', speedingOver: 'no longer so fast', countingOver: 'counted anew',
  heatBase: '{max} over a background of {base}', heatPixels: '{n} pixels', heatOver: '{k} K over {other}', heatIn: '{area}: {facts}',
  heatRelative: 'white-hot video: warmer than around it, by no known degrees',
};
