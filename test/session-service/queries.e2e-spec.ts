import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ComparedServers, lineOf, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { committedDocument, operationsIn } from '../support/openapi-operations.js';
import { stopServices } from '../support/running-service.js';

const LINES = operationsIn(committedDocument()).map(lineOf);
const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const UNKNOWN = ['unknown', '__proto__', 'constructor', 'toString', 'Limit', 'limit[]', 'touch[0]', 'serviceid'];
const invalid = (field: string) => ({ status: 400, code: 'ERR_REQUEST_INPUT', field });

const CURSORS = [
  '',
  'x',
  '0',
  'bm9uc2Vuc2U',
  Buffer.from(`1.${UNKNOWN_ID}x`).toString('base64url'),
  Buffer.from(`-1.${UNKNOWN_ID}`).toString('base64url'),
  Buffer.from(`${'9'.repeat(16)}.${UNKNOWN_ID}`).toString('base64url'),
  'x'.repeat(513),
];

describe('The session service', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers();
  });

  afterAll(stopServices);

  test('has 32 operations', () => {
    expect(LINES).toHaveLength(32);
    expect(new Set(LINES).size).toBe(32);
  });

  test.each(LINES)('rejects unknown query parameters of %s', async (line) => {
    for (const name of UNKNOWN) {
      const refusal = await servers.refusalOf(`${line}?${name}=1`);
      expect(refusal).toMatchObject({ status: 400, code: 'ERR_REQUEST_INPUT' });
      // An operation with a body may report its missing body instead.
      expect(['POST', 'PUT', 'PATCH'].includes(line.split(' ')[0]!) || refusal['field'] === name).toBe(true);
    }
  });

  test.each([
    'POST /v1/sessions/verify?touch=false',
    'DELETE /v1/services/client?reason=revoked',
    `POST ${SESSION}/refresh?touch=true`,
    `POST ${SESSION}/rotate?reason=revoked`,
    'GET /v1/counts?limit=1',
    'GET /v1/services?limit=1',
    'GET /v1/logins/alice/history?limit=1',
    'DELETE /v1/logins/alice/sessions?limit=1',
    `DELETE ${SESSION}?except=${sessionIdOf(1)}`,
  ])("rejects another operation's query parameter: %s", async (line) => {
    const [, name] = /\?(\w+)/.exec(line)!;
    const body = line.includes('verify') ? { credential: `${sessionIdOf(1)}.x` } : undefined;
    expect(await servers.refusalOf(line, body)).toEqual(invalid(name!));
  });

  test.each(['', '1', '0', 'TRUE', 'yes', 'null', '%20true', 'true&touch=false', 'true&touch=true'])(
    'rejects %j as a boolean',
    async (touch) => {
      for (const path of [SESSION, `${SESSION}/attributes`, `${SESSION}/attributes/role`]) {
        expect(await servers.refusalOf(`GET ${path}?touch=${touch}`)).toEqual(invalid('touch'));
      }
    },
  );

  test.each(['0', '-1', '1001', '1.5', '1e3', '%201', '', 'ten', '0x10', '1&limit=2', '99999999999999999999'])(
    'rejects %j as a limit',
    async (limit) => {
      for (const path of ['/v1/logins', '/v1/logins/alice/sessions']) {
        expect(await servers.refusalOf(`GET ${path}?limit=${limit}`)).toEqual(invalid('limit'));
      }
    },
  );

  test.each(CURSORS)('rejects %j as a cursor', async (cursor) => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'cursor', constraint: 'format' };
    // The in-memory storage accepts any number as a cursor of users.
    const paths = ['/v1/logins/alice/sessions', ...(cursor === '0' ? [] : ['/v1/logins'])];
    for (const path of paths) expect(await servers.refusalOf(`GET ${path}?cursor=${cursor}`)).toEqual(refused);
  });

  test.each(['', '7', 'constructor', sessionIdOf(1).replaceAll('-', ''), `${sessionIdOf(1)}0`, 'A'.repeat(36)])(
    'rejects %j as a session id',
    async (id) => {
      expect(await servers.refusalOf(`GET /v1/events?sessionId=${id}`)).toEqual(invalid('sessionId'));
      expect(await servers.statusOf(`HEAD /v1/events?sessionId=${id}`)).toBe(400);
      expect(await servers.refusalOf(`DELETE /v1/logins/alice/sessions?except=${id}`)).toEqual(invalid('except'));
    },
  );

  test.each([
    ['an empty text', ''],
    ['no process', '7'],
    ['no position', '000000000000-'],
    ['a negative position', '000000000000--1'],
    ['a fractional position', '000000000000-1.5'],
    ['a position that is too long', '000000000000-1234567890123456'],
    ['a process that is not hexadecimal', '00000000000g-1'],
    ['a trailing space', '000000000000-1%20'],
    ['a prototype name', 'constructor'],
    ['a session id', sessionIdOf(1)],
    ['two ids', '000000000000-1&lastEventId=000000000000-2'],
  ])('rejects an event id with %s, even if Last-Event-ID is valid', async (_what, id) => {
    for (const headers of [{}, { 'last-event-id': '0123456789ab-7' }]) {
      const line = `/v1/events?lastEventId=${id}`;
      expect(await servers.refusalOf(`GET ${line}`, undefined, headers)).toEqual(invalid('lastEventId'));
      expect(await servers.statusOf(`HEAD ${line}`, undefined, headers)).toBe(400);
    }
  });

  test.each(['%zz', '%', '%2', '%E0%A4%A', '%FF', '%C0%AF', '%ED%A0%80'])(
    'rejects a query with the malformed percent-encoding %s',
    async (malformed) => {
      for (const query of [`actor=${malformed}`, `reason=revoked&${malformed}=x`, `actor=x?${malformed}`]) {
        expect(await servers.refusalOf(`DELETE ${SESSION}?${query}`)).toEqual(invalid('query'));
      }
    },
  );

  test('accepts an empty query', async () => {
    for (const line of ['GET /v1/counts?', 'GET /v1/counts?&', 'GET /v1/logins?&&', `GET ${SESSION}?`]) {
      expect(await servers.statusOf(line)).toBe(200);
    }
  });

  test('reports the first of a thousand unknown parameters', async () => {
    const query = Array.from({ length: 1_000 }, (_, index) => `p${index}=1`).join('&');
    for (const path of ['/v1/logins', '/v1/counts']) {
      expect(await servers.refusalOf(`GET ${path}?${query}`)).toEqual(invalid('p0'));
    }
  });
});
