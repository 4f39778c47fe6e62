import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ComparedServers, lineOf, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { committedDocument, operationsIn } from '../support/openapi-operations.js';
import { stopServices } from '../support/running-service.js';

const CREATE = 'POST /v1/sessions';
const SESSION = `/v1/sessions/${sessionIdOf(1)}`;
/** A valid body for it. */
const VALID = { loginId: 'bob' };
const LIMIT_BYTES = 65_536;

const notJson = { status: 400, code: 'ERR_REQUEST_JSON', field: 'body' };
const invalidBody = { status: 400, code: 'ERR_REQUEST_INPUT', field: 'body' };
const wrongType = { status: 415, code: 'ERR_REQUEST_CONTENT_TYPE', field: 'Content-Type' };
const tooLarge = { status: 413, code: 'ERR_REQUEST_TOO_LARGE' };

describe('The session service', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers({ BODY_LIMIT_BYTES: String(LIMIT_BYTES) });
  });

  afterAll(stopServices);

  test.each([
    ['truncated JSON', '{"loginId":'],
    ['text after the JSON', '{"loginId":"bob"} {}'],
    ['a trailing comma', '{"loginId":"bob",}'],
    ['single quotes', "{'loginId':'bob'}"],
    ['an unquoted name', '{loginId:"bob"}'],
    ['a control character in a string', '{"loginId":"bo\u0000b"}'],
    ['an unknown escape', '{"loginId":"\\x62"}'],
    ['a comment', '// {}'],
    ['a form', 'loginId=bob'],
    ['white space alone', ' '],
    ['NaN', 'NaN'],
    ['null', 'null'],
    ['a number', '5'],
    ['a string', '"bob"'],
    ['a truncated UTF-8 sequence', Buffer.from('{"loginId":"\u{1F34A}"}').subarray(0, -4)],
    ['Latin-1', Buffer.from('{"loginId":"Zoë"}', 'latin1')],
    ['UTF-16', Buffer.from('{"loginId":"bob"}', 'utf16le')],
    ['an encoded surrogate', Buffer.from([...Buffer.from('{"loginId":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d])],
    ['an overlong UTF-8 sequence', Buffer.from([...Buffer.from('{"loginId":"'), 0xc0, 0xaf, 0x22, 0x7d])],
  ])('rejects a body that is not a JSON object in UTF-8: %s', async (_what, body) => {
    expect(await servers.refusalOf(CREATE, Buffer.from(body as string))).toEqual(notJson);
  });

  test('rejects an escaped lone surrogate as a login id, although it is valid JSON', async () => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'loginId', constraint: 'format' };
    expect(await servers.refusalOf(CREATE, Buffer.from('{"loginId":"\\ud83c"}'))).toEqual(refused);
  });

  test('rejects an array as a body', async () => {
    for (const body of [[], [VALID]]) expect(await servers.refusalOf(CREATE, body)).toEqual(invalidBody);
  });

  test('treats a missing and an empty body as an empty object', async () => {
    for (const body of [undefined, Buffer.alloc(0), {}]) {
      expect(await servers.refusalOf(CREATE, body)).toEqual({ ...invalidBody, field: 'loginId' });
    }
  });

  test('accepts a body that begins with a byte order mark', async () => {
    expect(await servers.statusOf(CREATE, Buffer.from('\ufeff{"loginId":"bob"}'))).toBe(201);
  });

  test('accepts a body of BODY_LIMIT_BYTES and rejects a larger one, with a length and in chunks', async () => {
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      expect(await servers.statusOf(CREATE, padded(LIMIT_BYTES), headers)).toBe(201);
      expect(await servers.refusalOf(CREATE, padded(LIMIT_BYTES + 1), headers)).toEqual(tooLarge);
      expect(await servers.refusalOf('GET /v1/counts', padded(LIMIT_BYTES + 1), headers)).toEqual(invalidBody);
    }
  });

  test.each([
    ['objects', '{"a":', '1', '}'],
    ['arrays', '[', '', ']'],
  ])('accepts 64 nested levels of %s and rejects more', async (_what, open, inner, close) => {
    const nested = (levels: number) => {
      const value = open.repeat(levels) + inner + close.repeat(levels);
      return Buffer.from(`{"loginId":"bob","attributes":{"a":${value}}}`);
    };
    const deepest = { status: 400, code: 'ERR_SESSION_INPUT', field: 'attributes.a', constraint: 'attribute-depth' };
    expect(await servers.refusalOf(CREATE, nested(61))).toEqual({ ...deepest, limit: 16 });
    for (const levels of [65, 10_000]) expect(await servers.refusalOf(CREATE, nested(levels))).toEqual(invalidBody);
    const alone = Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`);
    expect(await servers.refusalOf(CREATE, alone)).toEqual(invalidBody);
  });

  test.each([
    undefined,
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/problem+json',
    'application/json, text/html',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; version=2',
    'application/json;',
    'application json',
    '*/*',
  ])('rejects a body with the content type %j', async (type) => {
    const headers = { 'content-type': type };
    for (const line of [CREATE, `POST ${SESSION}/refresh`, 'GET /v1/counts']) {
      expect(await servers.refusalOf(line, line === CREATE ? VALID : {}, headers)).toEqual(wrongType);
    }
  });

  test('rejects a body with any content encoding other than identity', async () => {
    for (const encoding of [
      'gzip',
      'br',
      'deflate',
      'compress',
      'zstd',
      'identity, gzip',
      'unknown',
      'gzip, identity',
    ]) {
      expect(await servers.refusalOf(CREATE, VALID, { 'content-encoding': encoding })).toEqual(wrongType);
    }
  });

  test.each<Record<string, string>>([
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'application/json;charset="UTF-8"' },
    { 'content-type': 'Application/JSON ' },
    { 'content-encoding': 'identity' },
    { 'content-encoding': 'Identity' },
  ])('accepts a body with %j', async (headers) => {
    expect(await servers.statusOf(CREATE, VALID, headers)).toBe(201);
  });

  const withoutBody = operationsIn(committedDocument()).filter(({ body }) => !body);

  test.each(withoutBody.map(lineOf))('rejects a body for %s, which has none', async (line) => {
    for (const body of [{ reason: 'revoked' }, [1], { __proto__: null, a: 1 }]) {
      expect(await servers.refusalOf(line, body)).toEqual(invalidBody);
    }
  });

  test('has 19 operations without a body', () => expect(withoutBody).toHaveLength(19));
});

/** A valid body of exactly this many bytes. */
function padded(bytes: number): Buffer {
  return Buffer.from(JSON.stringify(VALID).padEnd(bytes));
}
