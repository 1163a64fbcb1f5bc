// 中文：告警为何产生、为何解除。
export const reason = {
  held: '{what}，持续 {lasts}', flapping: '{what}；{lasts}内反复 {n} 次，平稳同样长时间后才解除', and: '，',
  seconds: '{n} 秒', minutes: '{n} 分钟', hours: '{n} 小时', picture: '画面', line: '警戒线', above: '高于', below: '低于', falls: '下降', rises: '上升',
  day: '日', week: '周', toRight: '从左到右', toLeft: '从右到左', level: '亮度 {n}/255',
  silent: '{lasts}没有任何数据', dark: '{lasts}没有画面', darkBecause: '{lasts}没有画面：{cause}', flat: '{metric} 停在 {value} 不变，已 {lasts}',
  loitering: '在{zone}停留 {lasts}', objectLeft: '{zone}有遗留物，已 {lasts}', nOfM: '{reading}，近来 {n} 次{side} {limit}',
  countBeyond: '{metric} 在 {lasts}内 {n} 次{side} {limit}', count: '{metric} 在 {lasts}内 {n} 次', counting: '{lasts}内 {n} 个越过{line}',
  slope: '{reading}，每秒{turn} {rate}', unusual: '{reading}，通常为 {usual}（{sigma} σ）',
  novel: '{reading}：前所未有，以往为 {low} 至 {high}', novelHour: '{reading}：近期均值 {seen}，此时段以往为 {low} 至 {high}',
  novelLevel: '{reading}：近期均值 {seen}，以往为 {low} 至 {high}', novelNoise: '{reading}：波动 {seen}，以往为 {low} 至 {high}',
  novelCycle: '{reading}：与{cycle}内此时段相差 {seen}，以往为 {low} 至 {high}', novelStuck: '{reading}：连续 {seen} 次相同，以往为 {low} 至 {high}',
  threshold: '{reading}，{side} {limit}', intrusion: '{zone}内有移动目标', crowd: '{zone}内有 {n} 个目标', covered: '{zone}的 {share} % 被占满',
  crossedWay: '{way}越过{line}', crossed: '越过{line}', wrongWay: '逆{line}方向行进', objectRemoved: '{zone}内有物品消失',
  entered: '进入{fence}', left: '离开{fence}', inside: '在{fence}内', outside: '在{fence}外', found: '首次出现即在{fence}内',
  passed: '两次定位之间穿过{fence}', dwell: '在 {m} 米范围内停留', dwellIn: '在{fence}内 {m} 米范围停留',
  speeding: '在{fence}内时速 {speed}，限速 {limit}', speedingMore: '在{fence}内时速超过限速 {limit}', approach: '距 {other} 不到 {m} 米',
  together: '同时发生：{names}', intrusionOver: '{zone}内不再有移动目标', loiteringOver: '{zone}内无人停留', crowdOver: '{zone}内不再拥挤',
  crossedOver: '未再越过{line}', wrongWayOver: '不再有逆{line}方向行进', objectLeftOver: '{zone}内不再有遗留物',
  objectRemovedOver: '{zone}内不再有物品缺失', tooDark: '画面过暗', tooBright: '画面过亮', frozen: '画面静止不动',
  tooBlurry: '画面模糊', cameraCovered: '镜头被遮挡', moved: '镜头朝向改变', sceneChange: '画面整体改变',
  holds: '条件成立', over: '条件不再成立', silentOver: '已恢复数据', darkOver: '已恢复画面', sightOver: '画面已恢复', offDuty: '不在布防时段',
  approachOver: '已分开', togetherOver: '不再同时发生', dwellOver: '已离开', crossOver: '未再越线', speedingOver: '已不超速', countingOver: '重新计数',
  heatBase: '{max}，背景 {base}', heatPixels: '{n} 个像素', heatOver: '比{other}高 {k} K', heatIn: '{area}：{facts}',
  heatRelative: '白热视频：只知比周围热，不知度数',
};

export type ReasonWords = { [key in keyof typeof reason]: string };
