import { expect, test } from 'vitest';
import { codecOf, endOf, kept } from '../state/live-video';

const box = (word: string) => new TextEncoder().encode(`\0\0\0\u000cfree${word}`);

test('the last box says why a stream ended, and without one the line was cut', () => {
  expect(['slow', 'over', 'else'].map(word => endOf(box(word)))).toEqual(['slow', 'over', 'cut']);
  expect(endOf(new Uint8Array([1, 2, 3, ...box('slow')]))).toBe('slow');
  expect(endOf(new Uint8Array())).toBe('cut');
  expect(endOf(new TextEncoder().encode('....freeslow'))).toBe('cut');
});

test('who is behind goes on near the present, and what was seen does not pile up', () => {
  expect(kept(0, 0, 2)).toEqual({ seek: null, forget: null });
  expect(kept(0, 0, 4)).toEqual({ seek: 3.5, forget: null });
  expect(kept(1, 5, 6)).toEqual({ seek: 5.5, forget: null });
  expect(kept(1, 5, 5.2)).toEqual({ seek: 5, forget: null });
  expect(kept(31, 0, 32)).toEqual({ seek: null, forget: 21 });
  expect(kept(20, 0, 50)).toEqual({ seek: 49.5, forget: 39.5 });
});

test('a coding has the name that people know', () => {
  const of = (codec: string) => codecOf(`video/mp4; codecs="${codec}"`);
  expect(['hvc1.1.6.L60.90', 'hev1.1.6.L60', 'avc1.640028', 'av01.0.04M.08'].map(of)).toEqual(['H.265', 'H.265', 'H.264', undefined]);
});
