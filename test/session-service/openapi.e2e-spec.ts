import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PERMISSIONS_EXTENSION } from '../../src/openapi/operation.decorator.js';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { operationsIn } from '../support/openapi-operations.js';
import { ROOT } from '../support/packed-library.js';
import { type RunningService, startService, stopServices } from '../support/running-service.js';

describe('the OpenAPI document', () => {
  let service: RunningService;
  let document: OpenAPIObject;

  beforeAll(async () => {
    service = await startService();
    document = openApiDocument(service.app);
  });

  afterAll(stopServices);

  it('is committed as it is served; `npm run openapi` writes it anew', async () => {
    const committed = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as unknown;
    const served = await fetch(`${service.url}/docs/openapi.json`);
    expect(await served.json()).toEqual(committed);
    expect(JSON.parse(JSON.stringify(document))).toEqual(committed);
  });

  it('says of every body of a request that it has no fields beside those listed', () => {
    const bodies = operationsIn(document).flatMap(({ body }) => (body ? [body.schema] : []));
    expect(bodies.length).toBeGreaterThan(5);
    for (const schema of bodies) expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('says of every operation how it answers, and with which problems it refuses', () => {
    for (const { answers } of operationsIn(document)) {
      expect([...answers.keys()]).toEqual(expect.arrayContaining([400, 401, 413, 415, 429, 500]));
      const undescribed = [...answers].filter(([, { schema }]) => schema === undefined);
      // What is not ready is told as the result of Terminus, not as a problem.
      const uncoded = [...answers].filter(([status, { codes }]) => status >= 400 && status < 503 && codes.length === 0);
      expect([undescribed, uncoded]).toEqual([[], []]);
    }
  });

  it('says of every operation under /v1 what it asks for, and has a name for each', () => {
    const operations = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([, item]) => Object.values(item) as Record<string, unknown>[]);
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) expect(operation[PERMISSIONS_EXTENSION]).not.toHaveLength(0);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });
});
