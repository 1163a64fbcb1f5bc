import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '..');

test('the types are those of the OpenAPI document: `npm run types` writes them', async () => {
  const document = JSON.parse(readFileSync(join(folder, '../../src/api/openapi.json'), 'utf8'));
  const written = readFileSync(join(folder, 'schema.d.ts'), 'utf8');
  expect(written).toBe(COMMENT_HEADER + astToString(await openapiTS(document)));
});
