// The live ticket page: reads the API, follows the stream, and knows nothing else of the gateway.
'use strict';
const words = {
  zh: { reported: '已上报', accepted: '已受理', dispatched: '已派遣', resolved: '已处置', closed: '已结案',
    minor: '一般', moderate: '较大', severe: '重大', extreme: '特别重大', accept: '受理', assign: '派遣', resolve: '处置完成',
    close: '结案', live: '● 实时', stale: '● 连接中断，数据可能过时', none: '没有未结工单', open: '未结', who: '值班员',
    all: '含已结案', other: 'English', unitAsk: '派遣给哪个单位？', noteAsk: '未处置即结案，请说明原因：', left: '剩余',
    late: '超时', cleared: '告警已解除', opened: '上报', unit: '处置单位', snapshot: '现场快照', duty: '值班员' },
  en: { reported: 'reported', accepted: 'accepted', dispatched: 'dispatched', resolved: 'resolved', closed: 'closed',
    minor: 'minor', moderate: 'moderate', severe: 'severe', extreme: 'extreme', accept: 'Accept', assign: 'Assign',
    resolve: 'Resolve', close: 'Close', live: '● live', stale: '● connection lost, data may be stale', none: 'no open tickets',
    open: 'open', who: 'operator', all: 'with closed', other: '中文', unitAsk: 'Which unit?',
    noteAsk: 'Closing without resolving: why?', left: 'left', late: 'overdue', cleared: 'alert is over', opened: 'reported',
    unit: 'unit', snapshot: 'snapshot', duty: 'duty' },
};
const moves = { reported: ['accept', 'assign', 'close'], accepted: ['assign', 'resolve', 'close'],
  dispatched: ['assign', 'resolve'], resolved: ['close'], closed: [] };
const rowsMax = 200;
let lang = localStorage.lang || (navigator.language.startsWith('zh') ? 'zh' : 'en');
const t = key => words[lang][key];
const token = new URLSearchParams(location.search).get('token');
const withToken = path => token ? path + (path.includes('?') ? '&' : '?') + 'token=' + encodeURIComponent(token) : path;
const tickets = new Map();
const rows = new Map();
const el = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text; return e; };
const byId = id => document.getElementById(id);

function lamp(ticket) {
  if (ticket.stage === 'closed') return 'off';
  const left = ticket.due_ms - Date.now();
  return left < 0 ? 'red' : Date.now() >= ticket.yellow_ms ? 'yellow' : 'green';
}

function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / 60000), hours = Math.floor(minutes / 60);
  return hours ? hours + ' h ' + (minutes % 60) + ' min' : minutes ? minutes + ' min' : Math.floor(Math.abs(ms) / 1000) + ' s';
}
function clock(ticket) {
  const left = ticket.due_ms - Date.now();
  return (left < 0 ? t('late') : t('left')) + ' ' + span(left);
}

function build(ticket) {
  const row = el('article', lamp(ticket));
  row.dataset.no = ticket.no;
  const light = el('div', 'lamp'); light.append(el('i'));
  const left = el('span', 'left', ticket.stage === 'closed' ? '' : clock(ticket)); light.append(left);
  const body = el('div');
  const head = el('h2'); head.append(el('span', 'tag ' + ticket.severity, t(ticket.severity)), ticket.title);
  head.append(el('small', '', ticket.id + ' · ' + t(ticket.stage)));
  body.append(head, el('p', 'why', ticket.why));
  const meta = el('div', 'meta');
  meta.append(el('span', '', t('opened') + ' ' + new Date(ticket.opened_ms).toLocaleTimeString(lang)));
  meta.append(el('span', '', ticket.source));
  if (ticket.place.name) meta.append(el('span', '', ticket.place.name));
  if (ticket.place.lon !== null) meta.append(el('span', '', ticket.place.lon.toFixed(5) + ', ' + ticket.place.lat.toFixed(5)));
  if (ticket.unit) meta.append(el('span', '', t('unit') + ' ' + ticket.unit));
  if (ticket.alert_cleared) meta.append(el('span', 'over', '✓ ' + t('cleared')));
  body.append(meta);
  const actions = el('div', 'actions');
  for (const move of moves[ticket.stage]) {
    const button = el('button', '', t(move)); button.onclick = () => ask(ticket, move); actions.append(button);
  }
  body.append(actions);
  const shot = el('div', 'shot');
  if (ticket.source.startsWith('cam:') && ticket.fence) {
    const image = el('img'); image.alt = t('snapshot'); image.loading = 'lazy';
    image.src = withToken('/api/v1/alerts/' + ticket.alert + '/snapshot'); image.onerror = () => image.remove();
    shot.append(image);
  }
  row.append(light, body, shot);
  return row;
}

function show(ticket) {
  const wanted = byId('all').checked || ticket.stage !== 'closed';
  const old = rows.get(ticket.no);
  if (!wanted) { if (old) old.remove(); rows.delete(ticket.no); return; }
  const row = build(ticket);
  rows.set(ticket.no, row);
  if (old) { old.replaceWith(row); return; }
  const list = byId('list');
  const after = [...list.querySelectorAll('article')].find(other => Number(other.dataset.no) < ticket.no);
  list.insertBefore(row, after || null);
  while (list.childElementCount > rowsMax) {
    rows.delete(Number(list.lastElementChild.dataset.no)); list.lastElementChild.remove();
  }
}

function count() {
  const open = [...tickets.values()].filter(ticket => ticket.stage !== 'closed');
  const lamps = { red: 0, yellow: 0, green: 0 };
  for (const ticket of open) lamps[lamp(ticket)]++;
  const counts = byId('counts'); counts.textContent = '';
  const part = (symbol, n) => { const s = el('span', '', symbol + ' '); s.append(el('b', '', n)); counts.append(s); };
  part(t('open'), open.length); part('▲', lamps.red); part('■', lamps.yellow); part('●', lamps.green);
  const list = byId('list'), empty = list.querySelector('.empty');
  if (!rows.size && !empty) list.append(el('div', 'empty', t('none')));
  if (rows.size && empty) empty.remove();
}

function redraw() {
  document.documentElement.lang = lang;
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  byId('lang').textContent = t('other');
  byId('list').textContent = ''; rows.clear();
  for (const ticket of [...tickets.values()].sort((a, b) => a.no - b.no)) show(ticket);
  count(); link(live);
}
let live = false;
function link(up) {
  live = up;
  byId('link').textContent = up ? t('live') : t('stale');
  byId('link').className = up ? '' : 'stale';
}

async function ask(ticket, move) {
  const body = { who: byId('who').value.trim() || t('duty') };
  if (move === 'assign') { const unit = prompt(t('unitAsk')); if (!unit) return; body.unit = unit; }
  if (move === 'close' && ticket.stage !== 'resolved') { const note = prompt(t('noteAsk')); if (!note) return; body.note = note; }
  byId('fault').textContent = '';
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(withToken('/api/v1/tickets/' + ticket.no + '/' + move),
    { method: 'POST', headers, body: JSON.stringify(body) });
  const said = await answer.json();
  if (answer.ok) { take(said.ticket); count(); } else byId('fault').textContent = said.detail;
}

function take(ticket) { tickets.set(ticket.no, ticket); show(ticket); }

async function load() {
  const answer = await fetch(withToken('/api/v1/tickets?stage=' + (byId('all').checked ? 'all' : 'open') + '&limit=' + rowsMax));
  if (!answer.ok) { byId('fault').textContent = (await answer.json()).detail; return; }
  tickets.clear();
  for (const ticket of (await answer.json()).tickets) tickets.set(ticket.no, ticket);
  redraw();
}

const source = new EventSource(withToken('/api/v1/stream'));
source.onopen = () => { link(true); load(); };
source.onerror = () => link(false);
source.addEventListener('ticket', message => { take(JSON.parse(message.data).ticket); count(); });
setInterval(() => {
  for (const [no, row] of rows) {
    const ticket = tickets.get(no);
    if (!ticket || ticket.stage === 'closed') continue;
    row.className = lamp(ticket); row.querySelector('.left').textContent = clock(ticket);
  }
  count();
}, 1000);
byId('lang').onclick = () => { lang = lang === 'zh' ? 'en' : 'zh'; localStorage.lang = lang; redraw(); };
byId('all').onchange = load;
byId('who').value = localStorage.who || '';
byId('who').onchange = () => { localStorage.who = byId('who').value; };
redraw();
