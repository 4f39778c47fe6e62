import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ComparedServers, lineOf, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { committedDocument, operationsIn } from '../support/openapi-operations.js';
import { ALL_SERVERS, stopServices } from '../support/running-service.js';

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
    servers = await startComparedServers({ BODY_LIMIT_BYTES: String(LIMIT_BYTES) }, ALL_SERVERS);
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

  test.each([
    ['{"loginId":"bob","loginId":"alice"}', 'has a name at character 18 '],
    ['{"loginId":"bob","login\\u0049d":"alice"}', 'has a name at character 18 '],
    ['{"loginId":"bob","attributes":{"n":12345678901234567890}}', 'has a number at character 36 '],
    ['{"loginId":"bob","attributes":{"n":[0,1.00000000000000000001]}}', 'has a number at character 39 '],
    ['{"loginId":"bob","attributes":{"n":1e400}}', 'has a number at character 36 '],
    ['{"loginId":"bob","attributes":{"n":-0}}', 'has a number at character 36 '],
    ['{"loginId":"bob","attributes":{"n":{"a":1,"b":{},"a":2}}}', 'has a name at character 50 '],
    ['{"loginId":"bob","idleTimeoutMs":900000.00000000000000001}', 'has a number at character 34 '],
  ])('rejects a body that readers understand in different ways: %s', async (body, problem) => {
    expect(await servers.refusalOf(CREATE, Buffer.from(body))).toEqual(notJson);
    const { json } = await servers.answerOf(CREATE, Buffer.from(body));
    expect((json as { detail: string }).detail).toContain(problem);
  });

  test.each([
    ['12345678901234567', { field: 'attributes.n', constraint: 'attribute-value' }],
    ['"\\ud800"', { field: 'attributes.n', constraint: 'attribute-value' }],
    ['{"\\udc00":1}', { field: 'attributes.n', constraint: 'attribute-value' }],
  ])('rejects an attribute that JSON does not keep exactly: %s', async (value, fields) => {
    const body = Buffer.from(`{"loginId":"bob","attributes":{"n":${value}}}`);
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', ...fields };
    const isNumber = /^\d/.test(value);
    expect(await servers.refusalOf(CREATE, body)).toEqual(isNumber ? notJson : refused);
    const first = Buffer.from('{"loginId":"bob","attributes":{"n":9007199254740992}}');
    expect(await servers.refusalOf(CREATE, first)).toMatchObject({ code: 'ERR_SESSION_INPUT', field: 'attributes.n' });
  });

  test('returns numbers as they were sent, whatever their notation', async () => {
    const attributes = '{"a":1.0,"b":1e2,"c":0.1,"d":9007199254740991,"e":-1.50E-7,"f":5e-324,"g":1e21}';
    const { status, text } = await servers.answerOf(
      `PATCH ${SESSION}/attributes`,
      Buffer.from(`{"set":${attributes}}`),
    );
    const returned = '"a":1,"b":100,"c":0.1,"d":9007199254740991,"e":-1.5e-7,"f":5e-324,"g":1e+21';
    expect([status, text]).toEqual([200, expect.stringContaining(returned)]);
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

  test.each([
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/octet-stream',
    'application/json',
    '',
    '*/*',
  ])('ignores the content type %j of a request without a body, unless it is a POST', async (type) => {
    for (const length of [undefined, '0']) {
      const headers = { 'content-type': type, 'content-length': length };
      expect(await servers.statusOf(`DELETE /v1/sessions/${sessionIdOf(77)}`, undefined, headers)).toBe(200);
      expect(await servers.statusOf(`DELETE ${SESSION}/attributes/never-set`, undefined, headers)).toBe(200);
      expect(await servers.statusOf('GET /v1/counts', undefined, headers)).toBe(200);
      const noAttributes = { ...invalidBody, field: 'value' };
      expect(await servers.refusalOf(`PUT ${SESSION}/attributes/role`, undefined, headers)).toEqual(noAttributes);
      expect(await servers.refusalOf('OPTIONS /v1/counts', undefined, headers)).toMatchObject({ status: 405 });
      const posted = await servers.statusOf(`POST ${SESSION}/refresh`, undefined, headers);
      expect(posted).toBe(type === 'application/json' ? 200 : 415);
    }
    // Whether a chunked body is empty is known only after it was read.
    const chunked = { 'content-type': type, 'transfer-encoding': 'chunked' };
    const status = await servers.statusOf(`DELETE /v1/sessions/${sessionIdOf(77)}`, Buffer.alloc(0), chunked);
    expect(status).toBe(type === 'application/json' ? 200 : 415);
  });

  const withoutBody = operationsIn(committedDocument()).filter(({ body }) => !body);

  test.each(withoutBody.map(lineOf))('rejects a body for %s, which has none', async (line) => {
    for (const body of [{ reason: 'revoked' }, [1], { __proto__: null, a: 1 }]) {
      expect(await servers.refusalOf(line, body)).toEqual(invalidBody);
    }
  });

  test('has 22 operations without a body', () => expect(withoutBody).toHaveLength(22));
});

/** A valid body of exactly this many bytes. */
function padded(bytes: number): Buffer {
  return Buffer.from(JSON.stringify(VALID).padEnd(bytes));
}
