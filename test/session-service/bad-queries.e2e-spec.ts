import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BothServers, sessionIdOf, startBothServers } from '../support/both-servers.js';
import { ROOT } from '../support/packed-library.js';
import { stopServices } from '../support/running-service.js';
import { operationsOf } from '../support/service-operations.js';

const document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as OpenAPIObject;
const PARAMETERS: Readonly<Record<string, string>> = {
  sessionId: sessionIdOf(1),
  loginId: 'alice',
  serviceId: 'client',
};
const LINES = operationsOf(document).map(
  ({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => PARAMETERS[name] ?? 'role')}`,
);
const UNKNOWN = ['unknown', '__proto__', 'constructor', 'toString', 'Limit', 'limit[]', 'touch[0]', 'serviceid'];
const inputFault = (field: string) => ({ status: 400, code: 'ERR_REQUEST_INPUT', field });

describe('a query', () => {
  let servers: BothServers;

  beforeAll(async () => {
    servers = await startBothServers();
  });

  afterAll(stopServices);

  test('is tried on every operation of the document', () => {
    expect(LINES).toHaveLength(28);
    expect(new Set(LINES).size).toBe(28);
  });

  test.each(LINES)('has no parameter that %s does not know', async (line) => {
    // A body that would be refused as well, where one is taken: whichever is told, it is the same on both servers.
    for (const name of UNKNOWN) {
      const refusal = await servers.refusalOf(`${line}?${name}=1`);
      expect(refusal).toMatchObject({ status: 400, code: 'ERR_REQUEST_INPUT' });
      expect(['POST', 'PUT', 'PATCH'].includes(line.split(' ')[0]!) || refusal['field'] === name).toBe(true);
    }
  });

  test.each([
    'POST /v1/sessions/verify?touch=false',
    'DELETE /v1/services/client?reason=revoked',
    `POST ${sessionPath()}/refresh?touch=true`,
    `POST ${sessionPath()}/rotate?reason=revoked`,
    'GET /v1/counts?limit=1',
    'GET /v1/services?limit=1',
    'GET /v1/logins/alice/history?limit=1',
    'DELETE /v1/logins/alice/sessions?limit=1',
    `DELETE ${sessionPath()}?except=${sessionIdOf(1)}`,
  ])('has no parameter of another operation: %s', async (line) => {
    const [, name] = /\?(\w+)/.exec(line)!;
    const body = line.includes('verify') ? { credential: `${sessionIdOf(1)}.x` } : undefined;
    expect(await servers.refusalOf(line, body)).toEqual(inputFault(name!));
  });

  test.each(['', '1', '0', 'TRUE', 'yes', 'null', '%20true', 'true&touch=false', 'true&touch=true'])(
    'does not take %j for true or false',
    async (touch) => {
      for (const path of [sessionPath(), `${sessionPath()}/attributes`, `${sessionPath()}/attributes/role`]) {
        expect(await servers.refusalOf(`GET ${path}?touch=${touch}`)).toEqual(inputFault('touch'));
      }
    },
  );

  test.each(['', '7', 'constructor', sessionIdOf(1).replaceAll('-', ''), `${sessionIdOf(1)}0`, 'A'.repeat(36)])(
    'does not take %j for the id of a session or of an event, whatever else is sent',
    async (id) => {
      const resumed = { 'last-event-id': '0123456789ab-7' };
      for (const name of ['sessionId', 'lastEventId']) {
        for (const method of ['GET', 'HEAD']) {
          expect(await servers.statusOf(`${method} /v1/events?${name}=${id}`, undefined, resumed)).toBe(400);
        }
        expect(await servers.refusalOf(`GET /v1/events?${name}=${id}`, undefined, resumed)).toEqual(inputFault(name));
      }
      expect(await servers.refusalOf(`DELETE /v1/logins/alice/sessions?except=${id}`)).toEqual(inputFault('except'));
    },
  );

  test.each(['%zz', '%', '%2', '%E0%A4%A', '%FF', '%C0%AF', '%ED%A0%80'])(
    'that holds %s cannot be decoded',
    async (malformed) => {
      for (const query of [`actor=${malformed}`, `reason=revoked&${malformed}=x`, `actor=x?${malformed}`]) {
        expect(await servers.refusalOf(`DELETE ${sessionPath()}?${query}`)).toEqual(inputFault('query'));
      }
    },
  );

  test('may be empty', async () => {
    for (const line of ['GET /v1/counts?', 'GET /v1/counts?&', 'GET /v1/logins?&&', `GET ${sessionPath()}?`]) {
      expect(await servers.statusOf(line)).toBe(200);
    }
  });

  test('of a thousand parameters is refused for the first', async () => {
    const query = Array.from({ length: 1_000 }, (_, index) => `p${index}=1`).join('&');
    expect(await servers.refusalOf(`GET /v1/logins?${query}`)).toEqual(inputFault('p0'));
    expect(await servers.refusalOf(`GET /v1/counts?${query}`)).toEqual(inputFault('p0'));
  });
});

function sessionPath(): string {
  return `/v1/sessions/${sessionIdOf(1)}`;
}
