// Chinese of the field page.
export const field = {
  title: '外勤', tabs: { tasks: '任务', report: '上报', track: '轨迹', me: '我', label: '栏目' },
  me: {
    who: '我是谁？', hint: '选择自己的姓名，本机会记住。', change: '换人', unit: '{name} · {unit}', nobody: '配置中没有处置员（people 中角色为 handler 的人）。',
    settings: '显示',
  },
  duty: {
    on: '在岗', off: '离岗', switch: '在岗开关', unknown: '尚不知道是否在岗',
    sent: '开着时，本机位置每 {seconds} 秒发送一次。离岗后不读取位置。', notSent: '已离岗：不读取、不发送位置。',
    noTerminal: '配置中没有登记你的终端，位置不会发送。', waits: '等待发送', denied: '手机拒绝了定位权限：看不到距离，位置也不发送。', unavailable: '暂时无法定位。',
    accuracy: '定位误差约 {metres} 米',
  },
  line: {
    offline: '没有网络。任务列表是 {time} 的（{span} 前）。', offlineNever: '没有网络，还没有取得任务。', shut: '访问令牌缺失或不对，请用带令牌的地址重新打开。',
    waits: '{n} 项等待发送', sending: '有网络后按顺序自动发送，每项只算一次。', refused: '{n} 项未被接受', insecure: '连接不安全（非 HTTPS）：不能离线打开，也不能定位。',
  },
  task: {
    none: '没有任务', noneHint: '派给你的工单会出现在这里。', metres: '{n} 米', km: '{n} 公里', navigate: '导航', waits: '{move}：等待发送', place: '地点不详',
    photo: { before: '处置前照片', after: '处置后照片', photo: '现场照片', voice: '语音说明' }, photos: '照片与语音', more: '其他操作', sent: '已发送', queued: '待发送', taken: '{kind} ✓',
    shrinking: '正在处理照片……', record: '录一段语音', stop: '停止录音', recording: '正在录音……',
  },
  move: {
    sign: '签收', start: '到达现场', 'feed-back': '办结', solve: '当场办结', return: '退回', dispute: '有异议', escalate: '上报上级', acknowledge: '知悉',
  },
  note: {
    title: { 'feed-back': '办结说明', solve: '办结说明', return: '为何退回？', dispute: '有何异议？', escalate: '为何上报？' }, quick: '常用', send: '确定', cancel: '取消', empty: '请填写说明',
    photosNeeded: '请先拍处置前和处置后的照片', both: '附上处置前、处置后照片', lacking: '没有处置前后照片也可办结',
    done: { cleared: '已清理', repaired: '已修复', removed: '隐患已排除' }, back: { elsewhere: '不属本单位职责', busy: '正在处理其他任务', far: '距离太远', duplicate: '重复派单' },
  },
  report: {
    title: '发现问题，上报', photo: '拍照', category: '类别', other: '其他', words: '说明（可不填）', place: '用我现在的位置', placed: '位置已取得（误差约 {metres} 米）', placing: '正在定位……',
    noPlace: '没有取得位置：请在说明里写明地点', send: '上报', sent: '已记下，正在发送', next: '再报一件', voice: '语音', photos: '{n} 张照片', voices: '{n} 段语音', chooseCategory: '请选择类别', wordsNeeded: '没有位置时请写明地点',
  },
  track: {
    title: '今天的轨迹', none: '今天还没有位置', length: '{n} 公里，{fixes} 个位置', from: '{from} 至 {to}', label: '今天的轨迹，{n} 公里', start: '起点', end: '现在', offline: '没有网络，只显示本机待发送的位置。',
    private: '位置保存一段时间后删除；谁看过都有记录。', tasks: '任务',
  },
  queue: {
    title: '等待发送', again: '重试', giveUp: '放弃', refused: '未被接受：{why}', tooOld: '搁置太久，请核对后重做', report: '上报', positions: '{n} 个位置', dutyOn: '上岗', dutyOff: '离岗',
  },
  notKept: '手机存不下：{detail}',
};
