// English.
import { field } from './field-en';
import { reason } from './reason-en';
import type { Words } from './zh';

export const en: Words = {
  field, reason,
  app: { title: 'Outpost', subtitle: '前哨' },
  view: {
    tickets: 'Tickets', wall: 'Lamp board', classes: 'Class cases', scores: 'Scores', reports: 'Reports', silences: 'Silences', sources: 'Sources', estate: 'Set-up', audit: 'Audit', label: 'Pages',
  },
  severity: { minor: 'minor', moderate: 'moderate', severe: 'severe', extreme: 'extreme' },
  lamp: { green: 'green', yellow: 'yellow', red: 'red', off: 'no clock' },
  time: { left: '{span} left', late: '{span} late', stands: 'stopped, {span} left', days: '{n} d', hours: '{hours} h {minutes}' },
  live: { up: 'live', down: 'not connected' },
  stale: {
    since: 'Connection lost: this is how it was at {time} and may be out of date. Reconnecting…',
    never: 'Not connected to the gateway yet, connecting…',
  },
  list: {
    label: 'Tickets', empty: 'No open tickets', unmatched: 'No ticket matches the filter', loading: 'Loading…',
    cut: 'Only the newest {n} tickets are loaded', count: '{n} ticket | {n} tickets', told: 'New ticket {id}: {title}',
    unconfirmed: '{move}: the gateway has not confirmed yet…', cleared: 'alert is over', emergency: 'emergency', storm: 'alert storm',
    alerts: '{n} alerts',
  },
  filter: {
    find: 'Find', findHint: 'number, title, source, unit…', severity: 'Severity', lamp: 'Lamp', sort: 'Order', all: 'all', closed: 'with closed',
    atLeast: '{severity} and above', clear: 'Clear the filter',
    by: { new: 'newest first', due: 'due first', severity: 'most severe first' },
  },
  count: { open: '{n} open', lamp: '{lamp} {n}' },
  who: { label: 'Operator', hint: 'name', nobody: 'duty officer' },
  detail: {
    label: 'Ticket', none: 'Choose a ticket to see it', close: 'Close the ticket', missing: 'There is no such ticket: {detail}', what: 'What',
    where: 'Where', why: 'Why', place: 'Place', coordinates: 'Coordinates', source: 'Source', fence: 'Fence', centre: 'Centre', lead: 'Lead',
    unit: 'Unit', category: 'Category', opened: 'Reported', alert: 'Alert', since: 'Since', cleared: 'Over', figures: 'Values', rule: 'Rule',
    limits: 'Conditions', confidence: 'Confidence', doubt: 'False alarms', doubtOf: '{share} of {n} checked', sight: 'Seen',
    sightOf: 'bearing {bearing}°, {distance} m away', error: 'Error', errorOf: '{major} × {minor} m', grids: 'Grids', counts: 'Counts',
    into: 'Merged into', extension: 'Asks for', score: 'Score', hold: 'Evidence held', moves: 'Next steps', noMoves: 'Nothing is left to do',
    clocks: 'Clocks', budget: 'of {span}', journal: 'Journal', checked: 'somebody else has to check', officer: 'Officer', lease: 'To sign',
    way: 'On the way', leads: '{move} → {stage}', or: ' or ',
  },
  clock: { whole: 'Whole' },
  evidence: {
    label: 'Pictures', strip: 'All pictures by their time', snapshot: 'snapshot', none: 'No picture', play: 'Clip', close: 'Close', pending: 'The clip is still being received: {id}',
    missing: 'There is no clip: {id}', missingWhy: 'There is no clip: {id} ({why})',
    role: { before: 'before', at: 'at the moment', after: 'after', visible: 'visible light' }, alt: '{role} {id}: {why}',
    why: {
      pending: 'still being received', masked: 'the camera has privacy masks', codec: 'the stream fits no clip', gone: 'there was no picture then',
      expired: 'its time is over', evicted: 'it made room', lost: 'it was lost',
    },
  },
  trace: {
    title: 'What the sensor said', of: '{name}: {n} readings from {from} to {to}, lowest {low}, highest {high}',
    marks: 'Yellow: where the condition began, and where the alert was opened. Red: the limits of the rule.', keptFrom: 'Readings are kept from {time} on.',
  },
  suggest: {
    title: 'Who could go', ask: 'Look', audited: 'who looks where officers are is written down', reason: 'dispatch of {id}', nobody: 'Nobody can be suggested',
    owner: 'own ground', byRoad: '{minutes} min, {km} km by road', straight: '{minutes} min, {km} km straight', noWay: 'way not known',
    heard: 'position {span} old', unheard: 'no position', load: '{n} at hand', send: '{move}: {name}', other: 'Another unit…', more: '{n} more',
    passedOver: 'Not suggested: {what}', and: ', ',
    passed: { off_duty: '{n} off duty', no_skill: '{n} without the skill', elsewhere: '{n} of other centres', no_room: '{n} with enough at hand' },
  },
  undo: { label: 'Can be taken back', says: '{move} {id}: {reason}. Will be sent in {span}', undo: 'Take back', now: 'Send now' },
  cap: {
    title: 'As a CAP message', raw: 'The message', identifier: 'Identifier', sender: 'Sender', sent: 'Sent', status: 'Status', msgType: 'Kind', scope: 'Scope',
    restriction: 'For', code: 'Code', note: 'Note', references: 'Refers to', incidents: 'Incident', language: 'Language', category: 'Category',
    event: 'Event', urgency: 'Urgency', severity: 'Severity', certainty: 'Certainty', onset: 'Onset', expires: 'Expires', senderName: 'From',
    headline: 'Headline', description: 'Description', areaDesc: 'Area', polygon: 'Polygon', circle: 'Circle',
  },
  ask: {
    title: '{move}: {id}', ok: 'OK', cancel: 'Cancel', optional: '(may be left out)', unit: 'Which unit?', note: 'Why?',
    before: 'Photo from before (reference)', after: 'Photo from after (reference)', into: 'Part of which ticket (number)?', centre: 'Which centre?',
    limit: 'How much longer?', score: 'Score', force_majeure: 'By force majeure (nobody could help it; scores show it apart)', needed: 'Please fill in: {field}', both: 'Photos come from before and after, or not at all',
    reasons: 'Usual reasons',
    reason: {
      animal: 'animal or plants', weather: 'weather or light', test: 'test or maintenance', fault: 'device fault', duplicate: 'reported twice',
      elsewhere: 'not our duty',
    },
    per: { minutes: 'minutes', workingHours: 'working hours', workingDays: 'working days', calendarDays: 'calendar days' },
  },
  fault: {
    refused: '{what}: {detail}', unanswered: 'The gateway did not answer, this may not have been done: {what}', close: 'Dismiss',
    crash: 'The page failed, please reload it: {detail}',
  },
  entry: {
    opened: 'Opened', emergency: 'Emergency', 'also-seen': 'Also seen', 'alert-cleared': 'Alert over', looked: 'Looked', 'takes-in': 'Takes in',
    storm: 'Storm', 'storm-over': 'Storm over', suspected: 'Suspected',
  },
  silence: {
    shown: 'Silences {n} · first ends in {span}', none: 'No silence is on', begin: 'New silence', end: 'End', until: 'until {time}', by: '{who}: {reason}',
    withheld: '{n} alerts withheld', left: '{span} left', what: 'Silenced', rule: 'Rule', source: 'Source', category: 'Category', reason: 'Reason',
    lasts: 'For', hint: 'patterns with + and *', minutes: '{n} minutes', hours: '{n} hour | {n} hours', atLeastOne: 'Fill in one of rule, source and category',
    beginning: 'new silence', ending: 'end of a silence', created: 'The silence is on', whole: 'everything',
  },
  map: {
    label: 'Map', hide: 'Hide the map', show: 'Map', sources: 'Sources', noWebgl: 'This browser has no WebGL: places are listed instead.',
    standing: { well: 'source well', unwell: 'unwell', unknown: 'never heard' }, officers: 'Officers', officersReason: 'map of the duty officer', officersHint: 'Where officers on duty are: who looks is in the audit',
    places: 'Places', fit: 'Show all', empty: 'No ticket or source has coordinates', zoomIn: 'Zoom in', zoomOut: 'Zoom out',
  },
  classes: {
    title: 'Class cases', all: 'with ended', empty: 'No class cases', none: 'Choose a case to see it', case: 'Class case', close: 'Close the case view',
    tickets: '{n} ticket | {n} tickets', members: 'Where its tickets are', since: 'since {time}', until: 'ended {time}', note: 'Note',
    changeOf: '{days} days before and after: {before} → {after} ({share} fewer, p = {p}); elsewhere {elsewhereBefore} → {elsewhereAfter}',
    stages: { found: 'found', confirmed: 'confirmed', closed: 'closed', withdrawn: 'withdrawn' },
    move: { confirm: 'Confirm', close: 'Close' },
    entry: { found: 'Found', joined: 'Ticket joined', confirm: 'Confirmed', close: 'Closed', withdrawn: 'Withdrawn', left: 'Ticket left' },
  },
  patterns: {
    title: 'Patterns of the category', within: 'How far back', days: '{n} days', ask: 'Look for patterns', of: '{n} tickets, {placed} with a place.',
    newest: 'Only the newest were looked at.', knox: 'Knox test: pairs within both', near: 'Near repeats: pairs in the band', upTo: 'up to {n} d',
    metres: 'up to {n} m', significant: 'significant', cell: '{pairs} pairs, {expected} by chance, p = {p}',
    patrolOf: 'Patrol: {metres} m around each new one, for {days} days after it.', noPatrol: 'No scale is told apart from chance: nothing speaks for a patrol.',
    clusters: 'Clusters', cluster: '{n} tickets, {first} to {last}',
  },
  scores: {
    title: 'Scores', level: 'Of', from: 'from', to: 'before', thisMonth: 'this month', lastMonth: 'last month', empty: 'Nothing counts in this period',
    hint: 'Percent, 0 to 100. Each figure leads to its counts and tickets.', cut: 'The first {n} of {all}.', behind: 'Behind the figure', tickets: 'Tickets',
    apart: 'What was suspended or parked at the end of the period was out of reach: it is in no count of what was due, and shown apart.',
    n: '{n} ticket | {n} tickets', more: 'More',
    levels: { district: 'district', town: 'towns', village: 'villages', grid: 'grids', unit: 'units', officer: 'people' },
  },
  reports: {
    title: 'Monthly reports', hint: 'Scores, class cases and patterns of a month on one page, without scripts, to print and keep.', current: 'so far',
    open: 'Report of {month}', scores: 'Scores of the month',
  },
  wall: {
    title: 'Lamp board', standing: 'stopped', rate: 'closed in time, 30 days', none: 'none yet', worst: 'Most urgent', calm: 'No tickets in work',
    back: 'Back to tickets', closed: '{inTime} in time, {late} late',
  },
  sources: {
    title: 'Sources', id: 'Name', state: 'State', reason: 'Reason', rate: 'Per minute', drift: 'Clock', shed: 'Left out', last: 'Last', heard: 'Heard', rejected: 'Rejected',
    never: 'never', count: '{shown} of {all} sources', quiet: 'unwell first', unit: '{value} {unit}', picture: 'picture', thermal: 'thermal frame', officer: 'position of an officer',
    find: 'Find a source', seconds: '{seconds} s', pictures: 'Pictures', seen: 'Picture', whyLook: 'why, for the audit', overview: 'overview of the cameras',
    states: { live: 'live', connecting: 'connecting', stalled: 'stalled', offline: 'offline', heard: 'heard', never: 'never heard' },
    position: '{lon}, {lat}', ago: '{span} ago', lastReject: 'Last rejected: {why}', empty: 'There are no sources',
    full: 'The gateway keeps no further source (pipeline.sources_max). Others that speak are not judged, and are not here or stand as never heard.',
  },
  audit: {
    title: 'Audit', at: 'When', who: 'Who', what: 'What', alert: 'Alert', reason: 'Why', peer: 'From', empty: 'Nobody has looked at evidence yet',
    more: 'Earlier', unnamed: 'unnamed',
    whats: { snapshot: 'saw a picture', clip: 'saw the clip', hold: 'held', release: 'released', picture: 'looked at live picture', put: 'changed configuration', remove: 'removed from configuration', import: 'imported cameras', contact: 'looked at a camera to be imported', live: 'watched live', positions: 'saw where officers are', suggestions: 'saw who could go', track: 'saw a track', plan: 'saw a plan of who goes where', patrols: 'saw patrols' },
    of: 'Of the alert', all: 'all',
  },
  estate: {
    parts: 'What is set up', part: { fences: 'Fences', cameras: 'Cameras', rules: 'Rules' }, loading: 'Loading the configuration', reason: 'Why it is changed', reasonHint: 'goes into the audit',
    annex: 'written to {file}', closed: 'The configuration names no file that the console may write, so it only shows. Add to the configuration file:', byHand: 'written by hand',
    byHandWhy: 'This stands in a configuration file that people write: the console shows it and does not change it.',
    newRule: 'New rule', text: 'Configuration text of {id}', save: 'Save and apply', saved: '{id} is saved and applied', remove: 'Remove', removed: '{id} is removed',
    needReason: 'Say first why it is changed: it goes into the audit.', choose: 'Choose one, or make a new one', check: 'Check', line: 'line {n}',
    state: { idle: 'not checked yet', busy: 'checking…', sound: 'sound', unsound: 'not sound' },
  },
  preview: {
    title: 'Trial run', span: 'Over the last', closed: 'No observations of late are kept, so nothing can be tried. Add to the configuration file:',
    nothing: 'Once it is drawn or written, this shows what it would have found of late.', busy: 'One moment…', played: 'Tried on {n} observations since {since}.',
    partial: 'Its time was over before the end.', none: 'Nothing of late sets off any rule.', now: 'as it is', then: 'as changed',
  },
  import: {
    title: 'Import cameras', columns: 'CSV; the first line names the columns, of which there are:', file: 'File', tooLarge: 'The file is larger than 4 MB', count: '{n} camera | {n} cameras',
    result: '{file}: {n} lines, {wrong} of them wrong', run: 'Import', done: '{n} camera is imported | {n} cameras are imported', rows: 'Result by line', row: 'Line', outcome: 'Result',
    one: 'One camera', look: 'Look at it', field: { id: 'Id', url: 'Address', name: 'Name', username: 'User', password: 'Password' },
    sound: 'can be imported', sheet: 'Contact sheet', picture: 'Picture',
    why: { auth: 'refuses the account', route: 'cannot be reached', codec: 'sends no picture that is decoded here', stall: 'sends nothing', protocol: 'does not talk RTSP as it should' },
  },
  watch: {
    now: 'live', slow: 'This line is too slow for the stream; it begins again.', over: 'The camera sends nothing any more; it begins again.', cut: 'The stream was cut; it begins again.',
    masked: 'The camera has privacy masks: its pictures are shown with them, not its stream.', full: 'Too many people watch live: pictures instead.', none: 'There is no stream of this camera: pictures instead.', unplayable: 'This browser does not show what the camera sends: pictures instead.',
    codec: 'The camera sends {codec}, which this browser does not play: pictures instead.', open: 'Live: {camera}', reason: 'ticket {id}',
  },
  picture: { none: 'no picture of late', silent: 'no picture came', alt: 'What {id} sees now', setup: 'setting up the camera' },
  zone: {
    draw: 'Draw on the picture: arrow keys move the cross, Enter adds a point, Backspace takes one back', kind: 'Kind', zone: 'Zone', line: 'Line', name: 'Id of the zone or line',
    points: '{n} point | {n} points', undo: 'Take one back', take: 'Put into the text',
    hint: 'Click on the picture to add points, or move the cross with the arrow keys and press Enter. Once it is in the text, saving applies it.',
  },
  draw: {
    new: 'New fence', known: 'Change a fence', name: 'Name', shape: 'Shape', shapes: { polygon: 'polygon', circle: 'circle', line: 'line' }, radius: 'Radius (m)',
    corners: 'Corners (one a line: longitude latitude)', wrongCorner: 'Line {n} is no longitude and latitude', rule: 'With a new rule', when: 'Alert on', noRule: 'no rule',
    kinds: { enter: 'entering', exit: 'leaving', inside: 'staying inside', cross: 'crossing' }, sources: 'Sources (with + and *)', notHere: 'The shape of {id} cannot be changed here',
    noWebgl: 'This browser has no WebGL: write the corners on the left.',
  },
  sound: { on: 'Sound on', off: 'Sound off', hint: 'New alerts ring by severity until they are accepted', ringing: 'ringing' },
  theme: { dark: 'dark', light: 'light', toggle: 'Change to {theme}' },
  language: { other: '中文' },
  help: {
    title: 'Keyboard', open: 'Keyboard (?)', close: 'Close',
    keys: {
      j: 'next ticket', k: 'previous ticket', c: 'confirm', a: 'accept, or the next step', d: 'dispatch: who could go',
      x: 'reject, refuse or return, with the last reason', z: 'take it back before it is sent', e: 'escalate',
      slash: 'find', question: 'this page', escape: 'close, back to the list', l: 'what its camera sees now', m: 'show or hide the map', s: 'sound on or off',
    },
  },
};
