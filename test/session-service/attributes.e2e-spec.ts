import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Session } from 'nestjs-distributed-session';
import { ContendedStorage } from '../support/contended-storage.js';
import { sendConcurrently } from '../support/concurrent-requests.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let storage: ContendedStorage;
  let service: RunningService;
  let administrator: ServiceClient;
  let order: ServiceClient;
  /** The path of a new session. */
  let path: string;

  beforeAll(async () => {
    storage = new ContendedStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
    administrator = clientOf(service, service.administrator);
    order = clientOf(service, await service.register('order', 'session.read', 'session.write'));
  });

  beforeEach(async () => {
    const attributes = { role: 'customer', cart: { items: ['a', 'b'] } };
    const { sessionId } = await service.sessions.createSession('alice', undefined, { attributes });
    path = `/v1/sessions/${sessionId}`;
  });

  afterAll(stopServices);

  test('reads all attributes and a single one, with the version of the session', async () => {
    const all = await order(`GET ${path}/attributes`);
    expect(all.json).toEqual({ attributes: { role: 'customer', cart: { items: ['a', 'b'] } }, version: 1 });
    const one = await order(`GET ${path}/attributes/cart`);
    expect(one.json).toEqual({ key: 'cart', value: { items: ['a', 'b'] }, version: 1 });
    for (const { status, headers } of [all, one, await order(`HEAD ${path}/attributes/role?touch=false`)]) {
      expect([status, headers.get('etag'), headers.get('cache-control')]).toEqual([200, '"1"', 'no-store']);
    }
  });

  test('sets and removes a single attribute', async () => {
    const set = await order<Session>(`PUT ${path}/attributes/role`, { value: 'admin' });
    expect([set.status, set.headers.get('etag'), set.headers.get('cache-control')]).toEqual([200, '"2"', 'no-store']);
    expect(set.json).toEqual(expect.objectContaining({ version: 2, loginId: 'alice' }));
    expect(set.json.attributes).toEqual({ role: 'admin', cart: { items: ['a', 'b'] } });
    const removed = await order<Session>(`DELETE ${path}/attributes/cart`);
    expect([removed.status, removed.headers.get('etag'), removed.json.attributes]).toEqual([
      200,
      '"3"',
      { role: 'admin' },
    ]);
    const again = await order<Session>(`DELETE ${path}/attributes/cart`);
    expect([again.status, again.headers.get('etag')]).toEqual([200, '"3"']);
    expect((await order(`GET ${path}`)).json).toEqual(again.json);
  });

  test('sets and removes attributes in one PATCH', async () => {
    const patch = { set: { role: 'admin', total: 5 }, remove: ['cart', 'never-set'] };
    const patched = await order<Session>(`PATCH ${path}/attributes`, patch);
    expect([patched.status, patched.headers.get('etag'), patched.headers.get('cache-control')]).toEqual([
      200,
      '"2"',
      'no-store',
    ]);
    expect(patched.json.attributes).toEqual({ role: 'admin', total: 5 });
    for (const nothing of [{}, { set: {} }, { remove: [] }, undefined]) {
      expect((await order(`PATCH ${path}/attributes`, nothing)).headers.get('etag')).toBe('"2"');
    }
  });

  test.each([null, false, 0, -0.5, '', '\u{1F34A} "quoted"\n', [], {}, [[null], { a: [{}] }]])(
    'returns the value %j as it was sent',
    async (value) => {
      const set = await order<Session>(`PUT ${path}/attributes/value`, { value });
      expect([set.status, set.json.attributes['value']]).toEqual([200, value]);
      expect((await order(`GET ${path}/attributes/value`)).json).toEqual({ key: 'value', value, version: 2 });
    },
  );

  test('treats prototype names as ordinary keys', async () => {
    const value = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":null},"toString":[]}';
    const text = `{"set":{"__proto__":${value},"constructor":1,"hasOwnProperty":null},"remove":["toString"]}`;
    const patched = await order(`PATCH ${path}/attributes`, Buffer.from(text));
    expect(patched.text).toContain(`"__proto__":${value},"constructor":1,"hasOwnProperty":null`);
    const set = await order(`PUT ${path}/attributes/raw`, Buffer.from(`{"value":${value}}`));
    expect(set.text).toContain(`"raw":${value}`);
    const replaced = await order(`PUT ${path}`, Buffer.from(`{"attributes":{"__proto__":${value}}}`), {
      'if-match': '"3"',
    });
    expect(replaced.text).toContain(`"attributes":{"__proto__":${value}}`);
    const created = await administrator(
      'POST /v1/sessions',
      Buffer.from(`{"loginId":"bob","attributes":{"__proto__":${value}}}`),
    );
    expect(created.text).toContain(`"attributes":{"__proto__":${value}}`);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test('answers 404 for an attribute that is not set', async () => {
    for (const key of ['never-set', '__proto__', 'constructor', 'toString', 'Role', 'k'.repeat(129)]) {
      const refusal = await refusalOf(service, () => order(`GET ${path}/attributes/${key}`));
      expect(refusal).toEqual({ status: 404, code: 'ERR_ATTRIBUTE_NOT_FOUND', field: 'key' });
    }
  });

  test.each<[string, unknown, object]>([
    ['a long key', { set: { ['k'.repeat(129)]: 1 } }, { constraint: 'attribute-key-length', limit: 128 }],
    ['an empty key', { set: { '': 1 } }, { constraint: 'attribute-key' }],
    ['an empty key to remove', { remove: [''] }, { constraint: 'attribute-key' }],
    [
      'a key that is set and removed',
      { set: { a: 1 }, remove: ['a'] },
      { constraint: 'attribute-key', field: 'attributes.a' },
    ],
    ['a large value', { set: { a: 'x'.repeat(16_384) } }, { constraint: 'attribute-value-size', limit: 16_384 }],
    ['a deep value', { set: { a: deep(17) } }, { constraint: 'attribute-depth', field: 'attributes.a', limit: 16 }],
    ['too many keys', { set: numbered(101, 1) }, { constraint: 'attribute-count', limit: 100 }],
    [
      'too many keys together with the existing ones',
      { set: numbered(99, 1) },
      { constraint: 'attribute-count', limit: 100 },
    ],
    [
      'a total size that is too large',
      { set: numbered(5, 'x'.repeat(16_000)) },
      { constraint: 'attributes-total-size', limit: 65_536 },
    ],
  ])('rejects a patch with %s as a whole', async (_, patch, fields) => {
    const refusal = await refusalOf(service, () => order(`PATCH ${path}/attributes`, patch));
    expect(refusal).toMatchObject({ status: 400, code: 'ERR_SESSION_INPUT', ...fields });
  });

  test('neither sets nor removes an attribute with a key that is too long', async () => {
    const refused = { status: 400, code: 'ERR_SESSION_INPUT', constraint: 'attribute-key-length', limit: 128 };
    const long = `${path}/attributes/${'k'.repeat(129)}`;
    expect(await refusalOf(service, () => order(`PUT ${long}`, { value: 1 }))).toMatchObject(refused);
    expect(await refusalOf(service, () => order(`DELETE ${long}`))).toMatchObject(refused);
  });

  test('keeps fifty attributes that two services set concurrently', async () => {
    const pay = clientOf(service, await service.register('pay', 'session.read', 'session.write'));
    const numbers = Array.from({ length: 25 }, (_, index) => index);
    const writes = numbers.flatMap((number) => [
      () => order(`PUT ${path}/attributes/order.${number}`, { value: number }),
      () => pay(`PATCH ${path}/attributes`, { set: { [`pay.${number}`]: number } }),
    ]);
    const answers = await sendConcurrently({ app: service.app, storage }, ['replace'], writes);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const written = numbers.flatMap((number) => [
      [`order.${number}`, number],
      [`pay.${number}`, number],
    ]);
    const { json } = await order<Session>(`GET ${path}`);
    expect(json.attributes).toEqual({
      role: 'customer',
      cart: { items: ['a', 'b'] },
      ...(Object.fromEntries(written) as Session['attributes']),
    });
  });

  test('reports a conflict when other services keep writing to the session, and writes nothing', async () => {
    const requests = [
      () => order(`PUT ${path}/attributes/role`, { value: 'admin' }),
      () => order(`PATCH ${path}/attributes`, { set: { role: 'admin' } }),
      () => order(`DELETE ${path}/attributes/role`),
    ];
    for (const request of requests) {
      storage.isContended = true;
      const refusal = refusalIn(await request());
      storage.isContended = false;
      const { version, attributes } = (await order<Session>(`GET ${path}`)).json;
      expect(refusal).toEqual({ status: 409, code: 'ERR_SESSION_CONFLICT', currentVersion: version });
      expect(attributes).toEqual({ role: 'customer', cart: { items: ['a', 'b'] } });
    }
  });
});

function numbered(count: number, value: number | string): Record<string, number | string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
}

function deep(levels: number): unknown {
  return levels === 0 ? 1 : [deep(levels - 1)];
}
