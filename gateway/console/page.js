// The live ticket page: reads the API, follows the stream, and knows nothing else of the gateway.
'use strict';
const words = {
  zh: { minor: '一般', moderate: '较大', severe: '重大', extreme: '特别重大', green: '绿灯', yellow: '黄灯', red: '红灯',
    live: '● 实时', down: '○ 未连接',
    stale: since => '连接中断：以下是 ' + since + ' 的数据，可能已过时。正在重新连接……', never: '尚未连接到网关，正在连接……',
    none: '没有未结工单', open: '未结', who: '操作员', all: '含已结案', other: 'English', left: '剩余', late: '超时',
    cleared: '告警已解除', opened: '上报', unit: '处置单位', emergency: '紧急', muted: '静默', alerts: '告警',
    snapshot: '现场快照', before: '之前', at: '当时', after: '之后', visible: '可见光', sure: '可信度', clip: '录像', shut: '关闭',
    pending: '录像仍在接收，请稍后再试：', noClip: '没有录像：',
    duty: '值班员', ok: '确定', cancel: '取消', lost: '没有得到网关的答复，操作可能未执行：',
    ask: { unit: '派遣给哪个单位？', note: '请说明原因：', before: '处置前照片（编号或网址）', after: '处置后照片（编号或网址）',
      into: '并入哪张工单（编号）？', centre: '下派到哪个中心？', limit: '延长多久？如 1 working days', score: '评分 1 到 5' },
    more: n => '只显示最新的 ' + n + ' 张工单', told: (id, title) => '新工单 ' + id + '：' + title },
  en: { minor: 'minor', moderate: 'moderate', severe: 'severe', extreme: 'extreme', green: 'green', yellow: 'yellow', red: 'red',
    live: '● live', down: '○ not connected',
    stale: since => 'Connection lost: this is how it was at ' + since + ' and may be out of date. Reconnecting…',
    never: 'Not connected to the gateway yet, connecting…', none: 'no open tickets', open: 'open', who: 'operator',
    all: 'with closed', other: '中文', left: 'left', late: 'overdue', cleared: 'alert is over', opened: 'reported', unit: 'unit',
    emergency: 'emergency', muted: 'silences', alerts: 'alerts', snapshot: 'snapshot', clip: 'Clip', shut: 'Close',
    pending: 'The clip is still being received: ', noClip: 'There is no clip: ',
    before: 'before', at: 'at the moment', after: 'after', visible: 'visible light', sure: 'confidence', duty: 'duty officer',
    ok: 'OK', cancel: 'Cancel', lost: 'The gateway did not answer, this may not have been done: ',
    ask: { unit: 'Which unit?', note: 'Why?', before: 'Photo from before (reference)', after: 'Photo from after (reference)',
      into: 'Part of which ticket (number)?', centre: 'To which centre?', limit: 'How much longer? E.g. 1 working days',
      score: 'Score, 1 to 5' },
    more: n => 'only the newest ' + n + ' tickets are shown', told: (id, title) => 'new ticket ' + id + ': ' + title },
};
// Stages and moves are the gateway's: its table says how they are called in Chinese.
const chinese = {};
const named = id => lang === 'zh' && chinese[id] || id[0].toUpperCase() + id.slice(1).replaceAll('-', ' ');
const bars = { minor: '▮▯▯▯', moderate: '▮▮▯▯', severe: '▮▮▮▯', extreme: '▮▮▮▮' };
const shapes = { red: '▲', yellow: '■', green: '●' };
const rowsMax = 200, retryMs = 3000, mutesMs = 15000;
// The gateway sends a beat at least every 15 s: a line on which nothing came for longer than two is dead.
const silenceMs = 35000;

// Storage may be refused to a page; the choices then last as long as it does.
const memory = {};
const recall = key => { try { return localStorage[key] || memory[key]; } catch { return memory[key]; } };
const keep = (key, value) => { memory[key] = value; try { localStorage[key] = value; } catch { /* kept above */ } };

let lang = recall('lang') || (navigator.language.startsWith('zh') ? 'zh' : 'en');
const t = key => words[lang][key];
const token = new URLSearchParams(location.search).get('token');
const withToken = path => token ? path + (path.includes('?') ? '&' : '?') + 'token=' + encodeURIComponent(token) : path;
const tickets = new Map();
const rows = new Map();
const el = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text; return e; };
const byId = id => document.getElementById(id);
const say = (id, text) => { const e = byId(id); if (e.textContent !== text) e.textContent = text; e.hidden = !text; };

// Lamps go by the gateway's clock: this machine's may be wrong.
let aheadMs = 0;
const now = () => Date.now() + aheadMs;
function lamp(ticket) {
  if (ticket.due_ms === null) return 'off';
  return now() > ticket.due_ms ? 'red' : now() >= ticket.yellow_ms ? 'yellow' : 'green';
}

function span(ms) {
  const seconds = Math.floor(Math.abs(ms) / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  const two = n => String(n).padStart(2, '0');
  return hours >= 48 ? Math.floor(hours / 24) + ' d' : hours ? hours + ' h ' + two(minutes % 60) : two(minutes) + ':' + two(seconds % 60);
}

function light(ticket, row) {
  const colour = lamp(ticket), left = (ticket.due_ms ?? 0) - now();
  row.className = colour + (ticket.snapshot ? '' : ' bare');
  const put = (cls, text) => { const e = row.querySelector(cls); if (e.textContent !== text) e.textContent = text; };
  put('.colour', colour === 'off' ? '' : t(colour));
  put('.left', colour === 'off' ? '' : (left < 0 ? t('late') : t('left')) + ' ' + span(left));
}

function when(ms) {
  const date = new Date(ms), today = new Date(now()).toDateString() === date.toDateString();
  return today ? date.toLocaleTimeString(lang) : date.toLocaleString(lang);
}

function facts(ticket) {
  const meta = el('div', 'meta'), place = ticket.place;
  meta.append(el('span', '', t('opened') + ' ' + when(ticket.opened_ms)));
  if (place.name) meta.append(el('span', '', place.name));
  meta.append(el('span', '', ticket.source));
  if (place.lon !== null) meta.append(el('span', '', place.lon.toFixed(5) + ', ' + place.lat.toFixed(5)));
  if (ticket.unit) meta.append(el('span', '', t('unit') + ' ' + ticket.unit));
  for (const key of ['supervised', 'escalated']) {
    if (ticket.counts[key]) meta.append(el('span', 'late', named(key === 'supervised' ? 'supervise' : 'escalate') + ' × ' + ticket.counts[key]));
  }
  if (ticket.alerts > 1) meta.append(el('span', '', ticket.alerts + ' ' + t('alerts')));
  if (ticket.confidence) {
    const sure = el('span', 'sure', t('sure') + ' ' + Math.round(ticket.confidence.share * 100) + ' %');
    sure.title = ticket.confidence.why; meta.append(sure);
  }
  if (ticket.alert_cleared) meta.append(el('span', 'over', '✓ ' + t('cleared')));
  return meta;
}

// Looking at evidence is written down with the operator's name.
const asOperator = path => withToken(path + '?who=' + encodeURIComponent(byId('who').value.trim()));

function picture(ticket) {
  const link = el('a'), image = el('img');
  link.href = image.src = asOperator(ticket.snapshot);
  link.target = '_blank'; link.rel = 'noopener';
  image.alt = t('snapshot') + ' ' + ticket.id + ': ' + ticket.why;
  image.onload = () => { image.dataset.width = image.naturalWidth; };
  link.append(image);
  return link;
}

// The clip is complete some seconds after its ticket was told: what there is, is asked when somebody wants to see it.
async function play(no) {
  say('fault', '');
  try {
    const answer = await fetch(withToken('/api/v1/tickets/' + no)), said = await answer.json();
    if (!answer.ok) { say('fault', said.detail); return; }
    const ticket = said.ticket;
    if (!ticket.clip) {
      say('fault', ticket.clip_missing === 'pending' ? t('pending') + ticket.id
        : t('noClip') + ticket.id + (ticket.clip_missing ? ' (' + ticket.clip_missing + ')' : ''));
      return;
    }
    byId('film-title').textContent = ticket.id + ' · ' + ticket.title;
    byId('clip').src = asOperator(ticket.clip);
    byId('film').showModal();
    byId('clip').play().catch(() => { /* the browser shows its controls */ });
  } catch (cause) {
    say('fault', t('lost') + 'T-' + no + ' ' + t('clip'));
  }
}

// Frames around the moment and what other cameras saw of it, side by side in order of time.
function strip(ticket) {
  const strip = el('div', 'strip');
  for (const shown of ticket.pictures.filter(shown => shown.path)) {
    const figure = el('figure'), link = el('a'), image = el('img'), at = when(Date.parse(shown.at));
    link.href = image.src = asOperator(shown.path);
    link.target = '_blank'; link.rel = 'noopener';
    image.alt = t(shown.role) + ' ' + ticket.id + ', ' + shown.source + ', ' + at;
    link.append(image);
    figure.append(link, el('figcaption', '', t(shown.role) + ' · ' + at));
    strip.append(figure);
  }
  return strip;
}

function build(ticket) {
  const row = el('article'), side = el('div', 'lamp'), body = el('div');
  row.dataset.no = ticket.no; row.dataset.stage = ticket.stage;
  const mark = el('i'); mark.setAttribute('aria-hidden', 'true');
  side.append(mark, el('span', 'colour'), el('span', 'left'));
  const head = el('h2'), tag = el('span', 'tag ' + ticket.severity), level = el('i', '', bars[ticket.severity]);
  head.id = 'h' + ticket.no; row.setAttribute('aria-labelledby', head.id);
  level.setAttribute('aria-hidden', 'true');
  tag.append(level, t(ticket.severity));
  head.append(tag, ticket.emergency ? el('span', 'tag extreme', t('emergency')) : '', ticket.title, el('small', '', ticket.id + ' · ' + named(ticket.stage) + ' · ' + ticket.centre));
  const actions = el('div', 'actions');
  for (const offer of ticket.moves) {
    const button = el('button', '', named(offer.move));
    button.type = 'button'; button.dataset.move = offer.move;
    button.setAttribute('aria-describedby', head.id);
    button.onclick = () => ask(ticket, offer);
    actions.append(button);
  }
  const why = el('p', 'why', ticket.why); why.lang = 'en';
  body.append(head, why, facts(ticket), actions);
  row.append(side, body);
  if (ticket.snapshot) {
    const shot = el('div', 'shot'); shot.append(picture(ticket));
    if (ticket.clip || ticket.clip_missing === 'pending') {
      const button = el('button', '', '▶ ' + t('clip'));
      button.type = 'button'; button.dataset.move = 'clip'; button.setAttribute('aria-describedby', head.id);
      button.onclick = () => play(ticket.no);
      shot.append(button);
    }
    row.append(shot);
  }
  if (ticket.pictures.some(shown => shown.path)) row.append(strip(ticket));
  light(ticket, row);
  return row;
}

// Who works with the keyboard stays in the row, whatever is drawn again.
function keepingFocus(draw) {
  const focused = document.activeElement, no = Number(focused.closest('article')?.dataset.no), move = focused.dataset.move;
  draw();
  const row = rows.get(no);
  if (row && !focused.isConnected) (row.querySelector('[data-move="' + move + '"]') || row.querySelector('button'))?.focus();
}

function show(ticket) {
  const old = rows.get(ticket.no);
  if (!ticket.open && !byId('all').checked) {
    tickets.delete(ticket.no); rows.delete(ticket.no); if (old) old.remove();
    return;
  }
  const row = build(ticket), list = byId('list');
  rows.set(ticket.no, row);
  if (old) {
    keepingFocus(() => old.replaceWith(row));
    return;
  }
  const after = [...list.querySelectorAll('article')].find(other => Number(other.dataset.no) < ticket.no);
  list.insertBefore(row, after || null);
  while (rows.size > rowsMax) {
    const last = list.querySelector('article:last-of-type'), no = Number(last.dataset.no);
    rows.delete(no); tickets.delete(no); last.remove(); isCut = true;
  }
}

let isCut = false;
function count() {
  // Until the first list is there nobody knows: no number is better than 0.
  if (!heardMs) return;
  const open = [...tickets.values()].filter(ticket => ticket.open);
  const lit = { red: 0, yellow: 0, green: 0, off: 0 };
  for (const ticket of open) lit[lamp(ticket)]++;
  const text = JSON.stringify([lang, open.length, lit, isCut]), counts = byId('counts');
  if (counts.dataset.shown === text) return;
  counts.dataset.shown = text; counts.textContent = '';
  const part = (cls, sign, n) => { const s = el('span', cls); s.append(sign, ' ', el('b', '', n)); counts.append(s); };
  part('', t('open'), open.length + (isCut ? '+' : ''));
  for (const colour of ['red', 'yellow', 'green']) {
    const sign = el('i', '', shapes[colour]); sign.setAttribute('role', 'img'); sign.setAttribute('aria-label', t(colour));
    part(colour, sign, lit[colour]);
  }
  const list = byId('list'), empty = list.querySelector('.empty');
  if (empty) empty.remove();
  if (!rows.size && heardMs) list.append(el('p', 'empty', t('none')));
  say('more', isCut ? t('more')(rowsMax) : '');
}

function redraw() {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  byId('who').placeholder = t('duty');
  byId('lang').textContent = t('other'); byId('lang').lang = lang === 'zh' ? 'en' : 'zh-CN';
  keepingFocus(() => {
    byId('list').textContent = ''; rows.clear();
    for (const ticket of [...tickets.values()].sort((a, b) => a.no - b.no)) show(ticket);
  });
  byId('counts').dataset.shown = '';
  count(); link();
}

let isLive = false, heardMs = 0;
function link() {
  say('link', t(isLive ? 'live' : 'down')); byId('link').className = isLive ? '' : 'down';
  say('stale', isLive ? '' : heardMs ? t('stale')(when(heardMs)) : t('never'));
  document.body.classList.toggle('stale', !isLive && heardMs > 0);
}

function question(text) {
  const dialog = byId('ask'), input = byId('answer');
  byId('question').textContent = text; input.value = ''; dialog.returnValue = '';
  dialog.showModal(); input.focus();
  return new Promise(done => {
    dialog.onclose = () => done(dialog.returnValue === 'ok' ? input.value.trim() : '');
  });
}

// Asks for all that the move needs; none where the operator gives it up.
async function body(offer) {
  const said = { who: byId('who').value.trim() || t('duty') };
  for (const need of offer.needs) {
    const keys = need === 'photos' ? ['before', 'after'] : [need];
    const answers = {};
    for (const key of keys) if (!(answers[key] = await question(t('ask')[key]))) return null;
    const number = need === 'into' || need === 'score';
    said[need] = need === 'photos' ? answers : number ? Number(answers[need].replace(/^T-/, '')) : answers[need];
  }
  return said;
}

async function ask(ticket, offer) {
  const move = offer.move, said = await body(offer);
  if (!said) return;
  say('fault', '');
  const buttons = () => rows.get(ticket.no)?.querySelectorAll('button') || [];
  // Not `disabled`: that would take the focus away.
  for (const button of buttons()) button.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(withToken('/api/v1/tickets/' + ticket.no + '/' + move),
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(said) });
    const told = await answer.json();
    if (answer.ok) { take(told.ticket); count(); } else say('fault', ticket.id + ': ' + told.detail);
  } catch (cause) {
    say('fault', t('lost') + ticket.id + ' ' + named(move));
  }
  for (const button of buttons()) button.removeAttribute('aria-busy');
}

// What the stream told while a list was on its way may be newer than the list.
function take(ticket) {
  const known = tickets.get(ticket.no);
  if (known && known.revision > ticket.revision) return;
  if (since) since.set(ticket.no, ticket);
  tickets.set(ticket.no, ticket); show(ticket);
}

// Frames that follow the moment come without an entry in the journal.
const followMs = 5000;
function follow(no) {
  setTimeout(async () => {
    try {
      const answer = await fetch(withToken('/api/v1/tickets/' + no));
      if (answer.ok && tickets.has(no)) take((await answer.json()).ticket);
    } catch (cause) { /* the stream tells that the gateway is away */ }
  }, followMs);
}

let since = null, loads = 0;
async function load() {
  const mine = ++loads;
  since = new Map();
  try {
    if (!chinese.reported) {
      const { stages, moves } = await (await fetch(withToken('/api/v1/loop'))).json();
      for (const one of [...stages, ...moves]) chinese[one.stage || one.move] = one.zh;
    }
    const answer = await fetch(withToken('/api/v1/tickets?stage=' + (byId('all').checked ? 'all' : 'open') + '&limit=' + rowsMax));
    const said = await answer.json();
    if (mine !== loads) return;
    if (!answer.ok) { say('fault', said.detail); return; }
    aheadMs = said.now_ms - Date.now();
    mutes();
    heardMs = now(); isCut = said.tickets.length >= rowsMax;
    tickets.clear();
    for (const ticket of said.tickets) tickets.set(ticket.no, ticket);
    for (const ticket of since.values()) {
      if (!(tickets.get(ticket.no)?.revision > ticket.revision)) tickets.set(ticket.no, ticket);
    }
    redraw();
  } catch (cause) { /* the stream tells that the gateway is away, and loads again when it is back */ }
  if (mine === loads) since = null;
}

// Silences are always seen: how many, and of what, by whom, until when.
async function mutes() {
  try {
    const { silences } = await (await fetch(withToken('/api/v1/silences'))).json();
    const of = one => [one.rule, one.source, one.category].filter(Boolean).join(' ') + ': ' + one.reason + ' (' + one.who + ', ' + when(Date.parse(one.until)) + ')';
    byId('muted').title = silences.map(of).join('\n');
    say('muted', silences.length ? t('muted') + ' ' + silences.length : '');
  } catch (cause) { /* told by the stream */ }
}
setInterval(mutes, mutesMs);

let source = null, beatMs = 0;
function connect() {
  if (source) source.close();
  source = new EventSource(withToken('/api/v1/stream'));
  const heard = () => { beatMs = performance.now(); if (heardMs) heardMs = now(); };
  beatMs = performance.now();
  source.onopen = () => { heard(); isLive = true; link(); load(); };
  source.onerror = () => { isLive = false; link(); };
  source.addEventListener('beat', heard);
  source.addEventListener('ticket', message => {
    heard();
    const said = JSON.parse(message.data);
    take(said.ticket); count();
    if (said.what === 'opened') byId('told').textContent = t('told')(said.ticket.id, said.ticket.title);
    if (said.ticket.pictures.length) follow(said.ticket.no);
  });
}
// A browser gives up on a stream that was refused, and never notices one that fell silent.
setInterval(() => {
  const isSilent = performance.now() - beatMs > silenceMs;
  if (isSilent && isLive) { isLive = false; link(); }
  if (isSilent || source.readyState === EventSource.CLOSED) { connect(); if (!heardMs) load(); }
}, retryMs);
setInterval(() => {
  for (const [no, row] of rows) {
    const ticket = tickets.get(no);
    if (ticket) light(ticket, row);
  }
  count();
}, 1000);
byId('lang').onclick = () => { lang = lang === 'zh' ? 'en' : 'zh'; keep('lang', lang); redraw(); };
byId('all').onchange = load;
byId('who').value = recall('who') || '';
byId('who').onchange = () => keep('who', byId('who').value);
byId('film-close').onclick = () => byId('film').close();
byId('film').onclose = () => { byId('clip').removeAttribute('src'); byId('clip').load(); };
byId('cancel').onclick = () => byId('ask').close('');
redraw();
connect();
