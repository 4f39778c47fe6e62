import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BothServers, sessionIdOf, startBothServers } from '../support/both-servers.js';
import { stopServices } from '../support/running-service.js';
import { CANARY } from '../support/service-refusal.js';

const SESSION = `/v1/sessions/${sessionIdOf(1)}`;

/** A good body of each operation that takes one. */
const GOOD: Readonly<Record<string, object>> = {
  'POST /v1/sessions': { loginId: 'bob' },
  'POST /v1/sessions/verify': { credential: `${sessionIdOf(9)}.token` },
  [`PUT ${SESSION}`]: { attributes: {} },
  [`PATCH ${SESSION}/attributes`]: { set: { role: 'admin' } },
  [`PUT ${SESSION}/attributes/role`]: { value: 'admin' },
  'POST /v1/services': { serviceId: 'order', serviceName: 'Orders', permissions: [] },
  'POST /v1/services/verify': { secret: 'dss_' },
  'POST /v1/services/client/secrets': { overlapMs: 1 },
};

const NO_TEXT = [null, 5, true, [CANARY], { text: CANARY }];
const NO_OBJECT = [null, 5, CANARY, [{}]];
const NO_BOOLEAN = [null, 0, 'true', CANARY, [], {}];
const NO_WHOLE_NUMBER = ['5', 1.5, true, [5], { ms: CANARY }];

/** The field of an operation, and what is wrong for it. */
const WRONG: readonly (readonly [line: string, field: string, values: readonly unknown[]])[] = [
  ['POST /v1/sessions', 'loginId', [undefined, ...NO_TEXT]],
  ['POST /v1/sessions', 'token', NO_TEXT],
  ['POST /v1/sessions', 'device', NO_TEXT],
  ['POST /v1/sessions', 'attributes', NO_OBJECT],
  ['POST /v1/sessions', 'client', NO_OBJECT],
  ['POST /v1/sessions', 'idleTimeoutMs', NO_WHOLE_NUMBER],
  ['POST /v1/sessions', 'absoluteTimeoutMs', NO_WHOLE_NUMBER],
  ['POST /v1/sessions/verify', 'credential', [undefined, ...NO_TEXT]],
  ['POST /v1/sessions/verify', 'touch', NO_BOOLEAN],
  [`PUT ${SESSION}`, 'attributes', [undefined, ...NO_OBJECT]],
  [`PATCH ${SESSION}/attributes`, 'set', NO_OBJECT],
  [`PATCH ${SESSION}/attributes`, 'remove', [null, CANARY, { 0: 'role' }, [5], ['role', null], [[CANARY]]]],
  [`PUT ${SESSION}/attributes/role`, 'value', [undefined]],
  ['POST /v1/services', 'serviceId', [undefined, ...NO_TEXT]],
  ['POST /v1/services', 'serviceName', [undefined, ...NO_TEXT]],
  ['POST /v1/services', 'permissions', [undefined, null, CANARY, {}, [5], ['session.read', null], [[]]]],
  ['POST /v1/services', 'secretKey', NO_TEXT],
  ['POST /v1/services', 'replace', NO_BOOLEAN],
  ['POST /v1/services/client/secrets', 'overlapMs', [null, ...NO_WHOLE_NUMBER]],
  ['POST /v1/services/client/secrets', 'secretKey', NO_TEXT],
  ['POST /v1/services/verify', 'serviceId', NO_TEXT],
  ['POST /v1/services/verify', 'secret', [undefined, ...NO_TEXT]],
  ['POST /v1/services/verify', 'source', NO_TEXT],
];

/** Names that no body has; some of them every object has. */
const UNKNOWN = ['unknown', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'LoginId', 'loginId ', '0'];

describe('the fields of a body', () => {
  let servers: BothServers;

  beforeAll(async () => {
    servers = await startBothServers();
  });

  afterAll(stopServices);

  test.each(WRONG)('of %s: %s must not be any of %j', async (line, field, values) => {
    for (const value of values) {
      const body = { ...GOOD[line], ...wrongAt(field, value) };
      const refusal = await servers.refusalOf(line, body, { 'if-match': '"1"' });
      expect(refusal).toMatchObject({ status: 400, code: 'ERR_REQUEST_INPUT', field });
    }
  });

  test.each(Object.keys(GOOD))('of %s must be known', async (line) => {
    for (const name of UNKNOWN) {
      const body = Buffer.from(withField(GOOD[line]!, name));
      const refusal = await servers.refusalOf(line, body, { 'if-match': '"1"' });
      expect(refusal).toEqual({ status: 400, code: 'ERR_REQUEST_INPUT', field: name });
    }
  });

  test('must be known within another field, too', async () => {
    for (const name of UNKNOWN) {
      const text = `{"loginId":"bob","client":${withField({ ip: '::1' }, name)}}`;
      const refusal = await servers.refusalOf('POST /v1/sessions', Buffer.from(text));
      expect(refusal).toMatchObject({ status: 400, field: `client.${name}` });
    }
  });

  test('that hide a prototype in a plain field are refused', async () => {
    for (const name of ['__proto__', 'constructor']) {
      const text = `{"loginId":{"deep":[${withField({}, name)}]}}`;
      const refusal = await servers.refusalOf('POST /v1/sessions', Buffer.from(text));
      expect(refusal).toMatchObject({ status: 400, code: 'ERR_REQUEST_INPUT', field: `loginId.deep.0.${name}` });
    }
    expect(({} as { canary?: unknown }).canary).toBeUndefined();
  });

  test('are told all at once, but no more than twenty, and no long name in full', async () => {
    const two = await servers.refusalOf('POST /v1/services', { serviceId: 1, serviceName: 'Orders', permissions: 2 });
    expect(two).toMatchObject({ field: 'serviceId' });
    const names = Array.from({ length: 5_000 }, (_, index) => [`${index}${'n'.repeat(20)}`, CANARY]);
    const many = await servers.refusalOf('POST /v1/sessions', Object.fromEntries(names));
    expect(many).toMatchObject({ status: 400, field: `0${'n'.repeat(20)}` });
    const long = await servers.refusalOf('POST /v1/sessions', {
      ...GOOD['POST /v1/sessions'],
      ['n'.repeat(100_000)]: 1,
    });
    expect(long).toMatchObject({ status: 400, field: 'n'.repeat(64) });
  });

  test.each<[field: string, value: unknown, fields: object]>([
    ['loginId', '', { constraint: 'empty' }],
    ['loginId', 'x'.repeat(257), { constraint: 'length', limit: 256 }],
    ['token', '', { constraint: 'empty' }],
    ['token', 'x'.repeat(4_001), { constraint: 'length', limit: 4_000 }],
    ['token', `${CANARY} with spaces`, { constraint: 'format' }],
    ['token', `${CANARY};`, { constraint: 'format' }],
    ['token', `${CANARY}\u{1F34A}`, { constraint: 'format' }],
    ['device', '', { constraint: 'empty' }],
    ['device', 'x'.repeat(65), { constraint: 'length', limit: 64 }],
    ['client.ip', 5, { constraint: 'type' }],
    ['client.ip', [CANARY], { constraint: 'type' }],
    ['client.userAgent', null, { constraint: 'type' }],
    ['client.ip', 'x'.repeat(65), { constraint: 'length', limit: 64 }],
    ['client.userAgent', 'x'.repeat(1_025), { constraint: 'length', limit: 1_024 }],
    ['idleTimeoutMs', 0, { constraint: 'range' }],
    ['idleTimeoutMs', -1, { constraint: 'range' }],
    ['idleTimeoutMs', 1e15, { constraint: 'range' }],
    ['absoluteTimeoutMs', 0, { constraint: 'range' }],
  ])('keep the bounds of a session: %s must not be %j', async (field, value, fields) => {
    const body = { ...GOOD['POST /v1/sessions'], ...wrongAt(field, value) };
    const refusal = await servers.refusalOf('POST /v1/sessions', body);
    expect(refusal).toEqual({ status: 400, code: 'ERR_SESSION_INPUT', field, ...fields });
  });

  test('keep the bounds of a session: its timeouts must fit each other', async () => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', field: 'timeouts', constraint: 'range' };
    for (const timeouts of [{ idleTimeoutMs: null, absoluteTimeoutMs: null }, { idleTimeoutMs: 25 * 60 * 60_000 }]) {
      const body = { ...GOOD['POST /v1/sessions'], ...timeouts };
      expect(await servers.refusalOf('POST /v1/sessions', body)).toEqual(refused);
    }
  });
});

/** A body with a value in a field, which may be below another one. */
function wrongAt(field: string, value: unknown): object {
  const [name, below] = field.split('.');
  return { [name!]: below === undefined ? value : { [below]: value } };
}

/** The text of a body with one more field: an object could not have each of these names as its own. */
function withField(body: object, name: string): string {
  const fields = [...Object.entries(body), [name, { canary: CANARY }]];
  return `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
}
