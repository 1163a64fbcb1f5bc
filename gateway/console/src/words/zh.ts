// Chinese. The keys of this catalogue are those of all.
import { field } from './field-zh';
import { reason } from './reason-zh';

export const zh = {
  field, reason,
  app: { title: '前哨', subtitle: 'Outpost' },
  view: { tickets: '工单', wall: '灯牌', classes: '类案', scores: '考评', reports: '月报', silences: '静默', sources: '来源', estate: '接入配置', audit: '调阅审计', label: '页面' },
  severity: { minor: '一般', moderate: '较大', severe: '重大', extreme: '特别重大' },
  lamp: { green: '绿灯', yellow: '黄灯', red: '红灯', off: '未计时' },
  time: { left: '剩余 {span}', late: '超时 {span}', stands: '已停表，剩余 {span}', days: '{n} 天', hours: '{hours} 小时 {minutes} 分' },
  live: { up: '实时', down: '未连接' },
  stale: {
    since: '连接中断：以下是 {time} 的数据，可能已过时。正在重新连接……',
    never: '尚未连接到网关，正在连接……',
  },
  list: {
    label: '工单列表', empty: '没有未结工单', unmatched: '没有符合筛选条件的工单', loading: '正在载入……',
    cut: '只载入了最新的 {n} 张工单', count: '{n} 张', told: '新工单 {id}：{title}', unconfirmed: '{move}：待网关确认……',
    cleared: '告警已解除', emergency: '紧急', storm: '告警风暴', alerts: '{n} 次告警',
  },
  filter: {
    find: '查找', findHint: '编号、标题、来源、单位……', severity: '级别', lamp: '灯色', sort: '排序', all: '全部', closed: '含已结案',
    atLeast: '{severity}及以上', clear: '清除筛选',
    by: { new: '最新在前', due: '先到期在前', severity: '级别高在前' },
  },
  count: { open: '未结 {n}', lamp: '{lamp} {n}' },
  who: { label: '值班员', hint: '姓名', nobody: '值班员' },
  detail: {
    label: '工单详情', none: '选择一张工单查看详情', close: '关闭详情', missing: '没有这张工单：{detail}', what: '情况', where: '地点', why: '告警原因',
    place: '地点', coordinates: '坐标', source: '来源', fence: '围栏', centre: '归属中心', lead: '牵头中心', unit: '处置单位', category: '类别',
    opened: '上报', alert: '告警', since: '开始', cleared: '解除', figures: '数值', rule: '规则', limits: '规则条件', confidence: '可信度',
    doubt: '误报率', doubtOf: '{share}（{n} 次核实）', sight: '观测', sightOf: '方位 {bearing}°，距离 {distance} 米',
    error: '误差', errorOf: '{major} × {minor} 米', grids: '网格', counts: '次数', into: '并入', extension: '申请延期', score: '评分', hold: '证据留存',
    moves: '下一步', noMoves: '没有可做的操作', clocks: '时限', budget: '时限 {span}', journal: '流转记录', checked: '须由他人核查', officer: '处置人', lease: '签收时限',
    way: '流转进度', leads: '{move} → {stage}', or: ' 或 ',
  },
  clock: { whole: '全程' },
  evidence: {
    label: '现场', strip: '按时间排列的全部图像', snapshot: '现场快照', none: '没有图像', play: '录像', close: '关闭', pending: '录像仍在接收，请稍后再试：{id}',
    missing: '没有录像：{id}', missingWhy: '没有录像：{id}（{why}）', role: { before: '之前', at: '当时', after: '之后', visible: '可见光' },
    alt: '{role} {id}：{why}',
    why: {
      pending: '仍在接收', masked: '摄像机有隐私遮挡', codec: '码流无法封装', gone: '当时没有画面', expired: '已过保存期', evicted: '空间不足已清除', lost: '已丢失',
    },
  },
  trace: {
    title: '传感器曲线', of: '{name}：{n} 个读数，{from} 至 {to}，最低 {low}，最高 {high}', marks: '黄线：条件开始与告警发生；红线：规则界限。', keptFrom: '读数自 {time} 起保留。',
  },
  suggest: {
    title: '可派人员', ask: '查看', audited: '查看人员位置会留下记录', reason: '派遣 {id}', nobody: '没有可推荐的人员', owner: '本辖区',
    byRoad: '约 {minutes} 分钟，沿路 {km} 公里', straight: '约 {minutes} 分钟，直线 {km} 公里', noWay: '路程未知', heard: '{span} 前的位置',
    unheard: '没有位置', load: '手上 {n} 张', send: '{move}：{name}', other: '其他单位……', more: '另有 {n} 人', passedOver: '未推荐：{what}', and: '，',
    passed: { off_duty: '{n} 人未在岗', no_skill: '{n} 人无此技能', elsewhere: '{n} 人属其他中心', no_room: '{n} 人手上已满' },
  },
  undo: { label: '可撤回的操作', says: '{move} {id}：{reason}。{span} 后发出', undo: '撤回', now: '立即发出' },
  cap: {
    title: 'CAP 预览', raw: '报文原文', identifier: '编号', sender: '发送方', sent: '发送时间', status: '状态', msgType: '类型', scope: '范围', restriction: '对象',
    code: '代码', note: '说明', references: '引用', incidents: '事件编号', language: '语言', category: '分类', event: '事件', urgency: '紧急程度',
    severity: '严重程度', certainty: '确定程度', onset: '开始', expires: '失效', senderName: '发布单位', headline: '标题', description: '描述', areaDesc: '区域',
    polygon: '多边形', circle: '圆',
  },
  ask: {
    title: '{move}：{id}', ok: '确定', cancel: '取消', optional: '（可不填）', unit: '派遣给哪个单位？', note: '请说明原因', before: '处置前照片（编号或网址）',
    after: '处置后照片（编号或网址）', into: '并入哪张工单（编号）？', centre: '哪个中心？', limit: '延长多久？', score: '评分',
    force_majeure: '不可抗力（不计入考核）',
    needed: '请填写：{field}', both: '处置前后的照片要么都填，要么都不填', reasons: '常用原因',
    reason: { animal: '动物或植被', weather: '天气或光线', test: '测试或检修', fault: '设备故障', duplicate: '重复上报', elsewhere: '不属本单位职责' },
    per: { minutes: '分钟', workingHours: '工作小时', workingDays: '工作日', calendarDays: '自然日' },
  },
  fault: {
    refused: '{what}：{detail}', unanswered: '没有得到网关的答复，操作可能未执行：{what}', close: '知道了',
    crash: '页面出错，请刷新：{detail}',
  },
  entry: {
    opened: '上报', emergency: '紧急', 'also-seen': '其他来源也观测到', 'alert-cleared': '告警解除', looked: '可见光复核', 'takes-in': '并入',
    storm: '告警风暴', 'storm-over': '风暴结束', suspected: '待核实',
  },
  silence: {
    shown: '静默 {n} · 最早 {span} 后结束', none: '没有生效的静默', begin: '新建静默', end: '结束', until: '至 {time}', by: '{who}：{reason}', withheld: '已拦下 {n} 条告警',
    left: '还剩 {span}', what: '静默什么', rule: '规则', source: '来源', category: '类别', reason: '原因', lasts: '多久', hint: '可用 + 与 * 通配',
    minutes: '{n} 分钟', hours: '{n} 小时', atLeastOne: '规则、来源、类别至少填一项', beginning: '新建静默', ending: '结束静默', created: '静默已生效',
    whole: '全部',
  },
  map: {
    label: '地图', hide: '收起地图', show: '地图', sources: '来源', noWebgl: '此浏览器不支持 WebGL，改为列出地点。', standing: { well: '来源正常', unwell: '不健康', unknown: '从未收到' }, officers: '人员', officersReason: '值班地图', officersHint: '在岗人员的位置，查看会写入审计', places: '地点列表', fit: '显示全部',
    empty: '没有带坐标的工单和来源', zoomIn: '放大', zoomOut: '缩小',
  },
  classes: {
    title: '类案', all: '含已结束', empty: '没有类案', none: '选择一个类案查看', case: '类案详情', close: '关闭类案详情', tickets: '{n} 张工单', members: '工单所在位置',
    since: '自 {time} 起', until: '{time} 结束', note: '说明',
    changeOf: '结案前后各 {days} 天：{before} → {after}（减少 {share}，p = {p}）；其他地方 {elsewhereBefore} → {elsewhereAfter}',
    stages: { found: '已发现', confirmed: '已确认', closed: '已结案', withdrawn: '已撤销' }, move: { confirm: '确认', close: '结案' },
    entry: { found: '发现', joined: '工单加入', confirm: '确认', close: '结案', withdrawn: '撤销', left: '工单移出' },
  },
  patterns: {
    title: '该类别的规律', within: '回溯多久', days: '{n} 天', ask: '查找规律', of: '{n} 张工单，其中 {placed} 张有位置。', newest: '只看了最新的。',
    knox: 'Knox 检验：同时在两个范围以内的对数', near: '近邻重复：落在该区间的对数', upTo: '{n} 天以内', metres: '{n} 米以内', significant: '显著',
    cell: '{pairs} 对，随机应为 {expected} 对，p = {p}', patrolOf: '巡查建议：每次发生后 {days} 天内，在周边 {metres} 米巡查。',
    noPatrol: '没有哪个尺度与随机有明显差别，不建议专门巡查。', clusters: '聚集', cluster: '{n} 张工单，{first} 至 {last}',
  },
  scores: {
    title: '考评', level: '对象', from: '自', to: '至（不含）', thisMonth: '本月', lastMonth: '上月', empty: '这段时间没有可计数的工单',
    hint: '百分数，0 至 100。点开每个数可看到它的计数和工单。', cut: '只列出 {all} 行中的前 {n} 行。', behind: '数从何来', tickets: '工单',
    apart: '期末挂起或挂账的不在控制之内：不计入任何应办数，单独列出。', n: '{n} 张工单', more: '更多',
    levels: { district: '区', town: '镇街', village: '村社', grid: '网格', unit: '处置单位', officer: '人员' },
  },
  reports: {
    title: '月报', hint: '一个月的考评、类案和规律，一页看完；不含脚本，可打印、可存档。', current: '截至目前', open: '{month} 月报', scores: '当月考评',
  },
  wall: {
    title: '督办灯牌', standing: '停表', rate: '30 天按时结案', none: '暂无', worst: '最紧急', calm: '没有在办工单', back: '返回工单', closed: '按时 {inTime}，超时 {late}',
  },
  sources: {
    title: '来源', id: '编号', state: '状态', reason: '原因', rate: '每分钟', drift: '时钟偏差', shed: '漏解码帧', last: '最近数据', heard: '最近收到', rejected: '拒收', never: '从未收到',
    count: '{shown} / {all} 个来源', quiet: '不健康的在前', unit: '{value} {unit}', picture: '画面', thermal: '热像', officer: '人员位置', find: '查找来源', seconds: '{seconds} 秒', pictures: '画面', seen: '画面', whyLook: '查看原因（写入审计）', overview: '查看摄像机总览',
    states: { live: '在线', connecting: '连接中', stalled: '画面停滞', offline: '断开', heard: '有数据', never: '从未收到' },
    position: '{lon}，{lat}', ago: '{span} 前', lastReject: '最近拒收：{why}', empty: '没有来源',
    full: '来源数已到上限（pipeline.sources_max）：其余来源发来的数据不作判断，不在此列，或显示为从未收到。',
  },
  audit: {
    title: '调阅审计', at: '时间', who: '谁', what: '做了什么', alert: '告警', reason: '为何', peer: '从哪里', empty: '还没有人调阅过证据', more: '更早的',
    unnamed: '未具名', whats: { snapshot: '看图像', clip: '看录像', hold: '留存', release: '解除留存', picture: '看实时画面', put: '修改配置', remove: '删除配置', import: '导入摄像机', contact: '查看待导入摄像机', live: '看实时视频', positions: '看人员位置', suggestions: '看可派人员', track: '看轨迹', plan: '看派遣方案', patrols: '看巡查情况' },
    of: '只看告警', all: '全部',
  },
  estate: {
    parts: '接入内容', part: { fences: '围栏', cameras: '摄像机', rules: '规则' }, loading: '载入配置', reason: '修改原因', reasonHint: '写入审计', annex: '写入 {file}',
    closed: '配置没有指定可由控制台写入的文件，只能查看。在配置文件中加上：', byHand: '人工维护', byHandWhy: '这一项写在人工维护的配置文件里，控制台只显示，不修改。',
    newRule: '新建规则', text: '{id} 的配置文本', save: '保存并生效', saved: '{id} 已保存并生效', remove: '删除', removed: '{id} 已删除', needReason: '请先填写修改原因，它会写入审计。',
    choose: '选择一项，或新建', check: '检查', line: '第 {n} 行',
    state: { idle: '尚未检查', busy: '正在检查……', sound: '检查通过', unsound: '检查未通过' },
  },
  preview: {
    title: '试运行', span: '回看', closed: '没有保留近期观测，无法试运行。在配置文件中加上：', nothing: '画好或写好之后，这里显示它在近期会触发什么。', busy: '请稍候……',
    played: '已用 {since} 以来的 {n} 条观测试运行。', partial: '时间到，只跑了一部分。', none: '近期没有触发任何规则。', now: '现有', then: '修改后',
  },
  import: {
    title: '导入摄像机', columns: 'CSV，首行为列名，可用的列：', file: '选择文件', tooLarge: '文件超过 4 MB', count: '{n} 台摄像机', result: '{file}：{n} 行，{wrong} 行有问题',
    run: '导入', done: '已导入 {n} 台摄像机', rows: '逐行结果', row: '行', outcome: '结果', one: '添加一台摄像机', look: '看看画面',
    field: { id: '编号', url: '地址', name: '名称', username: '用户名', password: '密码' }, sound: '可以导入', sheet: '画面总览', picture: '画面',
    why: { auth: '账号被拒绝', route: '无法连接', codec: '没有可解码的画面', stall: '没有发来画面', protocol: '不是正常的 RTSP' },
  },
  watch: {
    now: '实时', slow: '网络太慢，跟不上视频，正在重新开始。', over: '摄像机已停止发送，正在重新开始。', cut: '视频中断，正在重新开始。',
    masked: '摄像机有隐私遮挡：只显示遮挡后的画面，不放视频。', full: '同时看实时视频的人太多，改为显示画面。', none: '这台摄像机没有可看的视频，改为显示画面。', unplayable: '此浏览器不能播放摄像机的编码，改为显示画面。',
    codec: '摄像机发送的是 {codec}，此浏览器不能播放，改为显示画面。', open: '实时画面：{camera}', reason: '工单 {id}',
  },
  picture: { none: '近期没有画面', silent: '没有得到画面', alt: '{id} 的实时画面', setup: '配置摄像机' },
  zone: {
    draw: '在画面上画区域：方向键移动十字，回车加点，退格撤销', kind: '类型', zone: '区域', line: '线', name: '区域或线的编号', points: '{n} 个点', undo: '撤销一点', take: '加入配置文本',
    hint: '在画面上点击加点；也可用方向键移动十字，回车加点。加入后保存即生效。',
  },
  draw: {
    new: '新建围栏', known: '修改已有围栏', name: '名称', shape: '形状', shapes: { polygon: '多边形', circle: '圆', line: '线' }, radius: '半径（米）', corners: '顶点（每行一个：经度 纬度）',
    wrongCorner: '第 {n} 行不是经度和纬度', rule: '同时新建规则', when: '触发条件', noRule: '不建规则', kinds: { enter: '进入', exit: '离开', inside: '停留在内', cross: '越线' },
    sources: '来源（可用 + 与 * 通配）', notHere: '{id} 的形状不能在这里修改', noWebgl: '此浏览器不支持 WebGL，请在左侧填写顶点。',
  },
  sound: { on: '声音开', off: '声音关', hint: '开启后，新告警按级别响铃，受理后停止', ringing: '响铃中' },
  theme: { dark: '深色', light: '浅色', toggle: '切换到{theme}' },
  language: { other: 'English' },
  help: {
    title: '键盘操作', open: '键盘操作（?）', close: '关闭',
    keys: {
      j: '下一张工单', k: '上一张工单', c: '属实', a: '受理，或下一步', d: '派遣：看谁能去', x: '不属实、不予受理或退回，用上次的理由', z: '发出前撤回', e: '上报升级', slash: '查找', question: '本页', escape: '关闭，返回列表', l: '摄像机的实时画面',
      m: '显示或收起地图', s: '声音开关',
    },
  },
};

export type Words = typeof zh;
