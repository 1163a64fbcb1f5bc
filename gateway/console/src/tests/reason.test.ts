import { afterEach, expect, test } from 'vitest';
import { noteOf, reasonOf, whyOf } from '../state/reason';
import { i18n } from '../words';
import { reason as english } from '../words/reason-en';

afterEach(() => {
  i18n.global.locale.value = 'zh';
});

/** As the gateway says them (`pipeline/reading.rs`, `movement.rs`, `heat.rs`, `slot/why.rs`, `picture/words.rs`). */
const SAID: [english: string, chinese: string][] = [
  ['ch4 1.4 %LEL above 1 %LEL for 5 s', 'ch4 1.4 %LEL，高于 1 %LEL，持续 5 秒'],
  ['ch4 1.4 %LEL above 1 %LEL for 5 s; 3 times within 60 s, stays open until it rests for as long', 'ch4 1.4 %LEL，高于 1 %LEL，持续 5 秒；60 秒内反复 3 次，平稳同样长时间后才解除'],
  ['o2 17 %, 3 times below 19.5 % of late', 'o2 17 %，近来 3 次低于 19.5 %'],
  ['level above 2 m 4 times within 60 s', 'level 在 60 秒内 4 次高于 2 m'],
  ['door 4 times within 60 s', 'door 在 60 秒内 4 次'],
  ['temperature 71 °C rises by 0.5 °C a second for 3 s', 'temperature 71 °C，每秒上升 0.5 °C，持续 3 秒'],
  ['level has stayed at 2 m for 90 s', 'level 停在 2 m 不变，已 90 秒'],
  ['flow 9 m3/h, usual is 3 m3/h (6.1 sigma)', 'flow 9 m3/h，通常为 3 m3/h（6.1 σ）'],
  ['load 9 kW: unlike all before, which was 1 to 3 so far', 'load 9 kW：前所未有，以往为 1 至 3'],
  ['load 9 kW: its mean of late is 5, 1 to 3 so far', 'load 9 kW：近期均值 5，以往为 1 至 3'],
  ['load 9 kW: its mean of late is 5, which was 1 to 3 so far at this hour', 'load 9 kW：近期均值 5，此时段以往为 1 至 3'],
  ['load 9 kW: its changes are 5 on a scale that was 1 to 3 so far', 'load 9 kW：波动 5，以往为 1 至 3'],
  ['load 9 kW: off by 5 for this hour of the week, 1 to 3 so far', 'load 9 kW：与周内此时段相差 5，以往为 1 至 3'],
  ['load 9 kW: said 8 times in a row, 1 to 3 so far', 'load 9 kW：连续 8 次相同，以往为 1 至 3'],
  ['nothing came for 30 s', '30 秒没有任何数据'],
  ['no picture for 30 s', '30 秒没有画面'],
  ['no picture for 30 s: route', '30 秒没有画面：无法连接'],
  ['entered 水库北岸', '进入水库北岸'],
  ['left 公交首末站', '离开公交首末站'],
  ['inside 水库北岸 for 90 s', '在水库北岸内，持续 90 秒'],
  ['outside 水库北岸', '在水库北岸外'],
  ['first heard of inside 水库北岸', '首次出现即在水库北岸内'],
  ['passed through 水库北岸 between two positions', '两次定位之间穿过水库北岸'],
  ['crossed 东门 from left to right', '从左到右越过东门'],
  ['crossed the line', '越过警戒线'],
  ['stayed within 50 m of one place in 广场 for 60 s', '在广场内 50 米范围停留，持续 60 秒'],
  ['stayed within 50 m of one place', '在 50 米范围内停留'],
  ['72 km/h in 校园, 30 allowed for 5 s', '在校园内时速 72 km/h，限速 30，持续 5 秒'],
  ['more than 30 km/h in 校园, 30 allowed', '在校园内时速超过限速 30'],
  ['within 12 m of truck/7', '距 truck/7 不到 12 米'],
  ['97.8 °C over a background of 35.6 °C, 8 pixels for 2 s', '97.8 °C，背景 35.6 °C，8 个像素，持续 2 秒'],
  ['cabinet: 97.8 °C, 8 pixels, 12.0 K over B phase', 'cabinet：97.8 °C，8 个像素，比B phase高 12.0 K'],
  ['level 250 of 255, 8 pixels (white-hot video: warmer than around it, by no known degrees)', '亮度 250/255，8 个像素，白热视频：只知比周围热，不知度数'],
  ['something moves in floor for 1 s', 'floor内有移动目标，持续 1 秒'],
  ['something moves in the picture', '画面内有移动目标'],
  ['stays in floor for 8 s', '在floor停留 8 秒'],
  ['12 in 广场 for 5 s', '广场内有 12 个目标，持续 5 秒'],
  ['60 % of 广场 is covered', '广场的 60 % 被占满'],
  ['40 crossed gate within 60 s', '60 秒内 40 个越过gate'],
  ['moves against lane', '逆lane方向行进'],
  ['something was left in hall, 30 s ago', 'hall有遗留物，已 30 秒'],
  ['something is gone from shelf', 'shelf内有物品消失'],
  ['the camera is covered for 5 s', '镜头被遮挡，持续 5 秒'],
  ['together: smoke, heat', '同时发生：smoke, heat'],
  ['condition holds', '条件成立'],
  ['nothing moves in floor', 'floor内不再有移动目标'],
  ['pictures again', '已恢复画面'],
];

test('what the gateway says is said in Chinese, and in English as it was', () => {
  for (const [said, chinese] of SAID) expect(reasonOf(said)).toBe(chinese);
  i18n.global.locale.value = 'en';
  for (const [said] of SAID) {
    // But for what is said more precisely, and the words of a cause.
    if (/: route$|white-hot/.test(said)) continue;
    expect(reasonOf(said)).toBe(said);
  }
});

test('long times are said in minutes and hours', () => {
  expect(['120 s', '1800 s', '7200 s', '90 s', '121 s'].map(lasts => reasonOf(`nothing came for ${lasts}`))).toEqual(
    ['2 分钟没有任何数据', '30 分钟没有任何数据', '2 小时没有任何数据', '90 秒没有任何数据', '121 秒没有任何数据']);
});

test('what has no known shape, and what people wrote, stays as it is', () => {
  for (const said of ['', 'ch4 0.7 %LEL', 'ch4 0.6 %LEL, o2 19 %: ch4 > 0.5 && o2 < 19.5', '路面塌陷']) expect(reasonOf(said)).toBe(said);
  expect(whyOf({ alert: '', why: 'left the gate open' })).toBe('left the gate open');
  expect(noteOf({ who: 'li', note: 'moved on' })).toBe('moved on');
  expect(noteOf({ who: 'outpost', note: 'moved on' })).toBe('已离开');
});

test('every text of the catalogue is of a shape that is known', () => {
  const words = ['held', 'flapping', 'and', 'seconds', 'minutes', 'hours', 'picture', 'line', 'above', 'below', 'falls', 'rises', 'day', 'week', 'toRight', 'toLeft', 'level', 'heatBase', 'heatPixels', 'heatOver', 'heatIn', 'heatRelative'];
  const sample: Record<string, string> = { lasts: '5 s', n: '4', m: '50', limit: '30', speed: '72 km/h', share: '60', side: 'above', turn: 'falls', cycle: 'week', way: 'left to right', cause: 'route', sigma: '6' };
  for (const [key, text] of Object.entries(english)) {
    if (words.includes(key)) continue;
    const said = text.replaceAll(/\{(\w+)\}/g, (_, name: string) => sample[name] ?? 'x');
    expect(reasonOf(said), `${key}: ${said}`).not.toBe(said);
  }
});
