import { expect, test } from 'vitest';
import { cornersText, fenceFeature, fenceOf, lineOf, parseCorners, quoted, ruleText, tableOf, withZone } from '../state/estate';

test('a text stands in TOML as it is, whatever is in it', () => {
  expect(quoted('a "b" \\ c')).toBe('"a \\"b\\" \\\\ c"');
  expect(quoted('1\n2\u0001')).toBe('"1\\n2\\u0001"');
});

test('a rule about a fence names its sources one by one', () => {
  const text = ruleText({ id: 'r', kind: 'enter', fence: 'yard', sources: ' bus/+,  tram/# ', severity: 'severe' });
  expect(text).toBe('[[rules]]\nid = "r"\nsources = ["bus/+", "tram/#"]\ndetect = { kind = "enter", fence = "yard" }\nseverity = "severe"\n');
});

test('corners are read as they are written, and a line that is none is told', () => {
  const corners: [number, number][] = [[106.05, 29.84], [106.0512345, 29.85], [106.06, 29.84]];
  expect(parseCorners(cornersText(corners))).toEqual({ corners: [[106.05, 29.84], [106.051235, 29.85], [106.06, 29.84]] });
  expect(parseCorners('106, 29\n\n107;30')).toEqual({ corners: [[106, 29], [107, 30]] });
  for (const wrong of ['106 29\n29', '106 29\n106 91', '106 29\nx y', '106 29\n1 2 3']) expect(parseCorners(wrong)).toEqual({ wrong: 2 });
});

test('a fence is edited as it was drawn', () => {
  for (const fence of [
    { id: 'a', name: '甲', shape: 'polygon', corners: [[1, 2], [3, 2], [3, 4]], radiusM: 0 },
    { id: 'b', name: '乙', shape: 'line', corners: [[1, 2], [3, 2]], radiusM: 0 },
    { id: 'c', name: '丙', shape: 'circle', corners: [[1, 2]], radiusM: 250 },
  ] as const) {
    const drawn = fenceFeature({ ...fence, corners: fence.corners.map(([lon, lat]) => [lon, lat]) })!;
    expect(fenceOf(drawn)).toEqual(fence);
  }
  expect(fenceFeature({ id: 'a', name: '', shape: 'polygon', corners: [[1, 2], [3, 2]], radiusM: 0 })).toBeNull();
  const holed = [[[0, 0], [9, 0], [9, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]];
  expect(fenceOf({ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: holed } })).toBeNull();
});

test('a zone comes to the end of its camera', () => {
  const text = withZone('[[cameras]]\nid = "gate"\n', 'zones', 'door', [[0.1, 0.2], [0.5, 0.2], [0.5, 0.9]]);
  expect(text).toBe('[[cameras]]\nid = "gate"\n\n[[cameras.zones]]\nid = "door"\npolygon = [[0.1000, 0.2000], [0.5000, 0.2000], [0.5000, 0.9000]]\n');
});

test('a line of a table is cut out with the names of its columns, however many lines its quotes take', () => {
  const table = 'id,name,url\r\na,A,rtsp://a/\r\nb,"B\nin two",rtsp://b/\r\nc,C,rtsp://c/\r\n';
  const rows = [2, 3, 5];
  expect(rows.map(row => lineOf(table, rows, row))).toEqual([
    'id,name,url\r\na,A,rtsp://a/\r', 'id,name,url\r\nb,"B\nin two",rtsp://b/\r', 'id,name,url\r\nc,C,rtsp://c/\r\n',
  ]);
});

test('a camera that is written stands in a table as it is', () => {
  expect(tableOf({ id: 'gate', name: '"East", gate', password: '' })).toBe(['id,name,password', '"gate","""East"", gate",""', ''].join('\n'));
});
