// English of the field page.
import type { field as chinese } from './field-zh';

export const field: typeof chinese = {
  title: 'Field', tabs: { tasks: 'Tasks', report: 'Report', track: 'Track', me: 'Me', label: 'Sections' },
  me: {
    who: 'Who are you?', hint: 'Choose your name; this phone remembers it.', change: 'Somebody else', unit: '{name} · {unit}',
    nobody: 'The configuration names no officers (people with the role handler).', settings: 'Display',
  },
  duty: {
    on: 'On duty', off: 'Off duty', switch: 'Duty', unknown: 'Whether you are on duty is not known yet',
    sent: 'Your position is sent every {seconds} s while this is on. Off duty it is not read.', notSent: 'Off duty: your position is neither read nor sent.',
    noTerminal: 'The configuration names no terminal for you: your position is not sent.', waits: 'waits to be sent',
    denied: 'The phone refuses its position: distances are not known and nothing is sent.', unavailable: 'There is no position just now.',
    accuracy: 'Position within about {metres} m',
  },
  line: {
    offline: 'No network. The tasks are those of {time} ({span} ago).', offlineNever: 'No network, and no tasks were fetched yet.',
    shut: 'The token is missing or wrong: open the page by its address with the token.',
    waits: '{n} to be sent', sending: 'Sent by itself, in order and once each, when there is a network.', refused: '{n} not accepted',
    insecure: 'The line is not safe (no HTTPS): the page does not open without network and has no position.',
  },
  task: {
    none: 'No tasks', noneHint: 'Tickets that are given to you appear here.', metres: '{n} m', km: '{n} km', navigate: 'Way there', waits: '{move}: waits to be sent', place: 'Place unknown',
    photo: { before: 'Photo before', after: 'Photo after', photo: 'Photo', voice: 'Voice note' }, photos: 'Photos and voice', more: 'More', sent: 'sent', queued: 'to be sent', taken: '{kind} ✓',
    shrinking: 'Preparing the photo…', record: 'Record a voice note', stop: 'Stop recording', recording: 'Recording…',
  },
  move: {
    sign: 'Sign', start: 'I am there', 'feed-back': 'Done', solve: 'Done at once', return: 'Give back', dispute: 'Object', escalate: 'Hand up', acknowledge: 'Heard',
  },
  note: {
    title: { 'feed-back': 'What was done', solve: 'What was done', return: 'Why give it back?', dispute: 'What is wrong with it?', escalate: 'Why hand it up?' }, quick: 'Often said', send: 'OK',
    cancel: 'Cancel', empty: 'Say something',
    photosNeeded: 'Take photos before and after first', both: 'With the photos before and after', lacking: 'It can be done without photos before and after',
    done: { cleared: 'Cleared', repaired: 'Repaired', removed: 'Danger removed' }, back: { elsewhere: 'Not our duty', busy: 'Busy with another task', far: 'Too far away', duplicate: 'Sent twice' },
  },
  report: {
    title: 'Report what you see', photo: 'Photo', category: 'Category', other: 'Other', words: 'Words (optional)', place: 'Take my place', placed: 'Place taken (within about {metres} m)', placing: 'Finding the place…',
    noPlace: 'There is no position: write the place into the words', send: 'Report', sent: 'Noted, and on its way', next: 'Another one', voice: 'Voice', photos: 'Photos: {n}', voices: 'Voice notes: {n}',
    chooseCategory: 'Choose a category', wordsNeeded: 'Without a position, write where it is',
  },
  track: {
    title: 'Today’s track', none: 'No positions today', length: '{n} km, {fixes} positions', from: '{from} to {to}', label: 'Today’s track, {n} km', start: 'start', end: 'now',
    offline: 'No network: only positions that wait on this phone are shown.', private: 'Positions are deleted after a time, and whoever looks at them is written down.', tasks: 'task',
  },
  queue: {
    title: 'To be sent', again: 'Try again', giveUp: 'Give up', refused: 'Not accepted: {why}', tooOld: 'It waited too long: check, and do it again', report: 'Report', positions: 'Positions: {n}',
    dutyOn: 'On duty', dutyOff: 'Off duty',
  },
  notKept: 'The phone cannot keep it: {detail}',
};
