import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BothServers, sessionIdOf, startBothServers } from '../support/both-servers.js';
import { stopServices } from '../support/running-service.js';

const CREATE = 'POST /v1/sessions';
const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
const LIMIT_BYTES = 65_536;
const GOOD = { loginId: 'bob' };

const noJson = { status: 400, code: 'ERR_REQUEST_JSON', field: 'body' };
const badBody = { status: 400, code: 'ERR_REQUEST_INPUT', field: 'body' };
const badType = { status: 415, code: 'ERR_REQUEST_CONTENT_TYPE', field: 'Content-Type' };
const tooLarge = { status: 413, code: 'ERR_REQUEST_TOO_LARGE' };

describe('a request body', () => {
  let servers: BothServers;

  beforeAll(async () => {
    servers = await startBothServers({ BODY_LIMIT_BYTES: String(LIMIT_BYTES) });
  });

  afterAll(stopServices);

  test.each([
    '{"loginId":',
    '{"loginId":"bob"',
    '{"loginId":"bob"} {}',
    '{"loginId":"bob",}',
    "{'loginId':'bob'}",
    '{loginId:"bob"}',
    '{"loginId":"bo\u0000b"}',
    '{"loginId":"\\x62"}',
    '{"loginId":"bob"}\u0000',
    '// {}',
    'loginId=bob',
    '<loginId>bob</loginId>',
    ' ',
    'undefined',
    'NaN',
    'null',
    'true',
    '5',
    '"bob"',
  ])('that is %j is no JSON object', async (text) => {
    expect(await servers.refusalOf(CREATE, Buffer.from(text))).toEqual(noJson);
  });

  test.each([
    ['that ends within a character', Buffer.from('{"loginId":"\u{1F34A}"}').subarray(0, -4)],
    ['in Latin-1', Buffer.from('{"loginId":"Zoë"}', 'latin1')],
    ['in UTF-16', Buffer.from('{"loginId":"bob"}', 'utf16le')],
    ['with a lone surrogate', Buffer.from([...Buffer.from('{"loginId":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d])],
    ['with an overlong form', Buffer.from([...Buffer.from('{"loginId":"'), 0xc0, 0xaf, 0x22, 0x7d])],
  ])('%s is no JSON', async (_, bytes) => {
    expect(await servers.refusalOf(CREATE, bytes)).toEqual(noJson);
  });

  test('with an escaped lone surrogate is JSON, and no text', async () => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'format' };
    expect(await servers.refusalOf(CREATE, Buffer.from('{"loginId":"\\ud83c"}'))).toEqual(refused);
  });

  test.each([[[]], [[1]], [[GOOD]], [[[]]]])('that is the array %j is refused', async (body) => {
    expect(await servers.refusalOf(CREATE, body)).toEqual(badBody);
  });

  test.each<[string, unknown]>([
    ['none', undefined],
    ['an empty one', Buffer.alloc(0)],
    ['an empty object', {}],
  ])('%s lacks what is required', async (_, body) => {
    expect(await servers.refusalOf(CREATE, body)).toEqual({ ...badBody, field: 'loginId' });
  });

  test('is taken up to its limit and not beyond it, whether or not it says how long it is', async () => {
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      expect(await servers.statusOf(CREATE, padded(LIMIT_BYTES), headers)).toBe(201);
      expect(await servers.refusalOf(CREATE, padded(LIMIT_BYTES + 1), headers)).toEqual(tooLarge);
      expect(await servers.refusalOf('GET /v1/counts', padded(LIMIT_BYTES + 1), headers)).toEqual(badBody);
    }
  });

  test.each([
    ['objects', '{"a":', '1', '}'],
    ['arrays', '[', '', ']'],
  ])('is taken as deep as 64 levels of %s and no deeper', async (_, open, inner, close) => {
    const nested = (levels: number) => {
      const value = open.repeat(levels) + inner + close.repeat(levels);
      return Buffer.from(`{"loginId":"bob","attributes":{"a":${value}}}`);
    };
    const deepest = { status: 400, code: 'ERR_SESSION_INPUT', field: 'attributes.a', constraint: 'attribute-depth' };
    expect(await servers.refusalOf(CREATE, nested(61))).toEqual({ ...deepest, limit: 16 });
    for (const levels of [65, 10_000]) expect(await servers.refusalOf(CREATE, nested(levels))).toEqual(badBody);
    const alone = Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    expect(await servers.refusalOf(CREATE, alone)).toEqual(badBody);
  });

  test.each([
    undefined,
    '',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/jsonp',
    'application/problem+json',
    'application/json, text/html',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; version=2',
    'application/json;',
    'application json',
    '*/*',
  ])('of the type %j is refused', async (type) => {
    const headers = { 'content-type': type };
    expect(await servers.refusalOf(CREATE, GOOD, headers)).toEqual(badType);
    expect(await servers.refusalOf(`POST ${SESSION}/refresh`, {}, headers)).toEqual(badType);
    expect(await servers.refusalOf('GET /v1/counts', {}, headers)).toEqual(badType);
  });

  test.each(['gzip', 'br', 'deflate', 'compress', 'zstd', 'identity, gzip', 'unknown', 'gzip, identity'])(
    'that is encoded as %j is refused',
    async (encoding) => {
      expect(await servers.refusalOf(CREATE, GOOD, { 'content-encoding': encoding })).toEqual(badType);
    },
  );

  test.each<Record<string, string>>([
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'application/json;charset="UTF-8"' },
    { 'content-type': 'Application/JSON ' },
    { 'content-encoding': 'identity' },
    { 'content-encoding': 'Identity' },
  ])('with %j is taken', async (headers) => {
    expect(await servers.statusOf(CREATE, GOOD, headers)).toBe(201);
  });

  test('may begin with a byte order mark', async () => {
    expect(await servers.statusOf(CREATE, Buffer.from('\ufeff{"loginId":"bob"}'))).toBe(201);
  });

  test.each([
    'GET /v1/sessions/:id',
    'GET /v1/sessions/:id/attributes',
    'DELETE /v1/sessions/:id',
    'POST /v1/sessions/:id/refresh',
    'POST /v1/sessions/:id/rotate',
    'GET /v1/sessions/:id/attributes/role',
    'DELETE /v1/sessions/:id/attributes/role',
    'GET /v1/logins',
    'GET /v1/counts',
    'GET /v1/logins/alice/sessions',
    'DELETE /v1/logins/alice/sessions',
    'GET /v1/logins/alice/history',
    'GET /v1/services',
    'GET /v1/services/client',
    'DELETE /v1/services/client',
    'DELETE /v1/services/client/secrets/key',
    'GET /v1/events',
    'GET /health/live',
    'GET /health/ready',
    'GET /metrics',
  ])('is refused where none is taken: %s', async (route) => {
    const line = route.replace(':id', sessionIdOf(1));
    for (const body of [{ reason: 'revoked' }, [1], { __proto__: null, a: 1 }]) {
      expect(await servers.refusalOf(line, body)).toEqual(badBody);
    }
  });
});

/** A good body of so many bytes. */
function padded(bytes: number): Buffer {
  return Buffer.from(JSON.stringify(GOOD).padEnd(bytes));
}
