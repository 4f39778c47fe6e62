import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import { type ComparedServers, sessionIdOf, startComparedServers } from '../support/compared-servers.js';
import { stopServices } from '../support/running-service.js';
import { CANARY } from '../support/service-refusal.js';

const CREATE = 'POST /v1/sessions';
const SESSION = `/v1/sessions/${sessionIdOf(1)}`;

/** A valid body for each operation that has one. */
const VALID: Readonly<Record<string, object>> = {
  [CREATE]: { loginId: 'bob' },
  'POST /v1/sessions/verify': { credential: `${sessionIdOf(9)}.token` },
  'POST /v1/sessions/rotate': { credential: `${sessionIdOf(9)}.token` },
  [`POST ${SESSION}/rotate`]: { actor: 'ops' },
  [`PUT ${SESSION}`]: { attributes: {} },
  [`PATCH ${SESSION}/attributes`]: { set: { role: 'admin' } },
  [`PUT ${SESSION}/attributes/role`]: { value: 'admin' },
  'POST /v1/services': { serviceId: 'order', serviceName: 'Orders', permissions: [] },
  'POST /v1/services/verify': { secret: 'dss_' },
  'POST /v1/services/client/secrets': { overlapMs: 1 },
};

const NOT_STRINGS = [null, 5, true, [CANARY], { text: CANARY }];
const NOT_OBJECTS = [null, 5, CANARY, [{}]];
const NOT_BOOLEANS = [null, 0, 'true', CANARY, [], {}];
const NOT_INTEGERS = ['5', 1.5, true, [5], { ms: CANARY }];

/** The fields of each operation, with values of a wrong type; `undefined` where the field is required. */
const WRONG_TYPES: readonly (readonly [line: string, field: string, values: readonly unknown[]])[] = [
  [CREATE, 'loginId', [undefined, ...NOT_STRINGS]],
  [CREATE, 'token', NOT_STRINGS],
  [CREATE, 'device', NOT_STRINGS],
  [CREATE, 'attributes', NOT_OBJECTS],
  [CREATE, 'client', NOT_OBJECTS],
  [CREATE, 'idleTimeoutMs', NOT_INTEGERS],
  [CREATE, 'absoluteTimeoutMs', NOT_INTEGERS],
  ['POST /v1/sessions/verify', 'credential', [undefined, ...NOT_STRINGS]],
  ['POST /v1/sessions/verify', 'touch', NOT_BOOLEANS],
  ['POST /v1/sessions/rotate', 'credential', [undefined, ...NOT_STRINGS]],
  ['POST /v1/sessions/rotate', 'graceMs', [null, ...NOT_INTEGERS]],
  ['POST /v1/sessions/rotate', 'actor', NOT_STRINGS],
  [`POST ${SESSION}/rotate`, 'graceMs', [null, ...NOT_INTEGERS]],
  [`POST ${SESSION}/rotate`, 'actor', [undefined, ...NOT_STRINGS]],
  [`PUT ${SESSION}`, 'attributes', [undefined, ...NOT_OBJECTS]],
  [`PATCH ${SESSION}/attributes`, 'set', NOT_OBJECTS],
  [`PATCH ${SESSION}/attributes`, 'remove', [null, CANARY, { 0: 'role' }, [5], ['role', null], [[CANARY]]]],
  [`PUT ${SESSION}/attributes/role`, 'value', [undefined]],
  ['POST /v1/services', 'serviceId', [undefined, ...NOT_STRINGS]],
  ['POST /v1/services', 'serviceName', [undefined, ...NOT_STRINGS]],
  ['POST /v1/services', 'permissions', [undefined, null, CANARY, {}, [5], ['session.read', null], [[]]]],
  ['POST /v1/services', 'replace', NOT_BOOLEANS],
  ['POST /v1/services/client/secrets', 'overlapMs', [null, ...NOT_INTEGERS]],
  ['POST /v1/services/verify', 'serviceId', NOT_STRINGS],
  ['POST /v1/services/verify', 'secret', [undefined, ...NOT_STRINGS]],
  ['POST /v1/services/verify', 'source', NOT_STRINGS],
];

/** Names that no body has. Every object inherits some of them. */
const UNKNOWN = ['unknown', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'LoginId', 'loginId ', '0'];

describe('The session service', () => {
  let servers: ComparedServers;

  beforeAll(async () => {
    servers = await startComparedServers();
  });

  afterAll(stopServices);

  test.each(WRONG_TYPES)(
    'rejects a wrong type in the body of %s: %s must not be any of %j',
    async (line, field, values) => {
      for (const value of values) {
        const refusal = await servers.refusalOf(
          line,
          { ...VALID[line], ...fieldOf(field, value) },
          { 'if-match': '"1"' },
        );
        expect(refusal).toMatchObject({ status: 400, code: 'ERR_REQUEST_INPUT', field });
      }
    },
  );

  test.each(Object.keys(VALID))('rejects unknown fields in the body of %s', async (line) => {
    for (const name of UNKNOWN) {
      const refusal = await servers.refusalOf(line, withField(VALID[line]!, name), { 'if-match': '"1"' });
      expect(refusal).toEqual({ status: 400, code: 'ERR_REQUEST_INPUT', field: name });
    }
  });

  test('rejects unknown fields and prototype names inside other fields', async () => {
    for (const name of UNKNOWN) {
      const body = Buffer.from(`{"loginId":"bob","client":${withField({ ip: '::1' }, name).toString()}}`);
      expect(await servers.refusalOf(CREATE, body)).toMatchObject({ status: 400, field: `client.${name}` });
    }
    for (const name of ['__proto__', 'constructor']) {
      const body = Buffer.from(`{"loginId":{"deep":[${withField({}, name).toString()}]}}`);
      const refused = { status: 400, code: 'ERR_REQUEST_INPUT', field: `loginId.deep.0.${name}` };
      expect(await servers.refusalOf(CREATE, body)).toMatchObject(refused);
    }
    expect(({} as { canary?: unknown }).canary).toBeUndefined();
  });

  test('lists at most twenty errors, and does not repeat names that may be secrets', async () => {
    const two = await servers.refusalOf('POST /v1/services', { serviceId: 1, serviceName: 'Orders', permissions: 2 });
    expect(two).toMatchObject({ field: 'serviceId' });
    const names = Array.from({ length: 1_000 }, (_, index) => [`${index}${'n'.repeat(20)}`, CANARY]);
    const many = await servers.refusalOf(CREATE, Object.fromEntries(names));
    expect(many).toMatchObject({ status: 400, field: '…' });
    const long = await servers.refusalOf(CREATE, { ...VALID[CREATE], ['n'.repeat(60_000)]: 1 });
    expect(long).toMatchObject({ status: 400, field: '…' });
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
    ['idleTimeoutMs', 0, { constraint: 'range' }],
    ['idleTimeoutMs', -1, { constraint: 'range' }],
    ['idleTimeoutMs', 1e15, { constraint: 'range' }],
    ['absoluteTimeoutMs', 0, { constraint: 'range' }],
  ])('rejects a session whose %s is out of bounds: %j', async (field, value, fields) => {
    const refusal = await servers.refusalOf(CREATE, { ...VALID[CREATE], ...fieldOf(field, value) });
    expect(refusal).toEqual({ status: 400, code: 'ERR_SESSION_INPUT', field, ...fields });
  });

  test.each([
    [
      'cuts long texts',
      { ip: 'x'.repeat(65), userAgent: 'x'.repeat(1_112) },
      { ip: 'x'.repeat(64), userAgent: 'x'.repeat(1_024) },
    ],
    ['does not store empty ones', { ip: '', userAgent: '' }, undefined],
  ])('%s about the client, instead of refusing the login', async (_, client, stored) => {
    const { status, json } = await servers.answerOf(CREATE, {
      loginId: 'bob',
      token: 'kq3v9T0wzD5Y-sample_token',
      client,
    });
    expect([status, (json as Session).client]).toEqual([201, stored]);
  });

  test('rejects a session with longer timeouts than configured, or without one', async () => {
    const ceilings = { idleTimeoutMs: 60 * 60_000, absoluteTimeoutMs: 24 * 60 * 60_000 };
    for (const [field, limit] of Object.entries(ceilings)) {
      const refused = { status: 400, code: 'ERR_SESSION_INPUT', field, constraint: 'range', limit };
      for (const value of [null, limit + 1, 10 * 365 * 24 * 60 * 60_000]) {
        expect(await servers.refusalOf(CREATE, { ...VALID[CREATE], [field]: value })).toEqual(refused);
      }
    }
  });
});

/** A body with one field, which may be nested: `client.ip`. */
function fieldOf(field: string, value: unknown): object {
  const [name, below] = field.split('.');
  return { [name!]: below === undefined ? value : { [below]: value } };
}

/** A body with one more field, as text: no object literal can have each of these names as its own. */
function withField(body: object, name: string): Buffer {
  const fields = [...Object.entries(body), [name, { canary: CANARY }]];
  return Buffer.from(`{${fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`);
}
