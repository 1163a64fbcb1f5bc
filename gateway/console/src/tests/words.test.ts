import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { en } from '../words/en';
import { zh } from '../words/zh';

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.set(prefix + key, value);
    else for (const [path, text] of flat(value, `${prefix}${key}.`)) out.set(path, text);
  }
  return out;
}

const catalogues = { zh: flat(zh), en: flat(en as unknown as Tree) };
const placeholders = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]))].sort();

test('both catalogues have the same keys, and none is empty', () => {
  expect([...catalogues.en.keys()].sort()).toEqual([...catalogues.zh.keys()].sort());
  for (const texts of Object.values(catalogues)) for (const [key, text] of texts) expect(text.trim(), key).not.toBe('');
});

test('a text takes the same values in each language', () => {
  for (const [key, text] of catalogues.zh) expect(placeholders(catalogues.en.get(key)!), key).toEqual(placeholders(text));
});

test('no text has a sign that vue-i18n reads as its own', () => {
  // `@` links to another text; `|` parts singular from plural, in English only.
  for (const texts of Object.values(catalogues)) for (const [key, text] of texts) expect(text, key).not.toContain('@');
  for (const [key, text] of catalogues.zh) expect(text, key).not.toContain('|');
});

test('every key that the page asks for is there', () => {
  const folder = join(import.meta.dirname, '..');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => /\.(vue|ts)$/.test(name) && !name.includes('test'));
  const asked = files.flatMap(name => [...readFileSync(join(folder, name), 'utf8').matchAll(/\bt\('([\w.-]+)'/g)].map(match => match[1]!));
  expect(asked.length).toBeGreaterThan(60);
  for (const key of asked) expect(catalogues.zh.has(key), key).toBe(true);
});
