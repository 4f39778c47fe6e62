import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AttributeInput, Session } from 'nestjs-distributed-session';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';
import { WatchedStorage } from '../support/watched-storage.js';

describe.each(SERVERS)('the replacement of attributes over %s', (HTTP_ADAPTER) => {
  let storage: WatchedStorage;
  let service: RunningService;
  let order: ServiceClient;
  let cart: ServiceClient;
  let path: string;

  beforeAll(async () => {
    storage = new WatchedStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
    order = clientOf(service, await service.register('order', 'session.read', 'session.write'));
    cart = clientOf(service, await service.register('cart', 'session.read:cart.*', 'session.write:cart.*'));
  });

  afterAll(stopServices);

  /** A session of its own for the test, and the only one that `path` names. */
  async function start(attributes: AttributeInput): Promise<void> {
    const { sessionId } = await service.sessions.createSession('alice', undefined, { attributes });
    path = `/v1/sessions/${sessionId}`;
  }

  const put = (attributes: unknown, ifMatch?: string) =>
    order<Session>(`PUT ${path}`, { attributes }, { 'if-match': ifMatch });

  test('is made over the version in If-Match, which the answer moves on', async () => {
    await start({ role: 'customer', cart: [1] });
    const { headers } = await order(`GET ${path}`);
    const first = await put({ role: 'admin', department: null }, headers.get('etag')!);
    expect([first.status, first.headers.get('etag'), first.headers.get('cache-control')]).toEqual([
      200,
      '"2"',
      'no-store',
    ]);
    expect(first.json).toMatchObject({ version: 2, loginId: 'alice', serviceId: 'session-service' });
    expect(first.json.attributes).toEqual({ role: 'admin', department: null });
    const second = await put({}, ` ${first.headers.get('etag')} `);
    expect([second.json.attributes, second.headers.get('etag')]).toEqual([{}, '"3"']);
    expect((await order(`GET ${path}`)).json).toEqual(second.json);
  });

  test('writes nothing where nothing differs', async () => {
    await start({ role: 'customer' });
    const same = await put({ role: 'customer' }, '"1"');
    expect([same.status, same.headers.get('etag')]).toEqual([200, '"1"']);
  });

  test('is refused with the current version, when there is a newer one', async () => {
    await start({ role: 'customer' });
    await put({ role: 'admin' }, '"1"');
    for (const stale of ['"1"', '"0"', '"3"', '"999999999999999"']) {
      const refusal = await refusalOf(service, () => put({ role: 'guest' }, stale));
      expect(refusal).toEqual({ status: 412, code: 'ERR_SESSION_CONFLICT', currentVersion: 2 });
    }
  });

  test('is refused without a version, and with * for one', async () => {
    await start({ role: 'customer' });
    for (const none of [undefined, '*', ' * ']) {
      const refusal = await refusalOf(service, () => put({}, none));
      expect(refusal).toEqual({ status: 428, code: 'ERR_VERSION_REQUIRED', field: 'If-Match' });
    }
  });

  test.each(['1', 'W/"1"', '"1", "2"', '"1""1"', '""', '', '"01x"', '"-1"', '"1.0"', `"${'1'.repeat(16)}"`, "'1'"])(
    'is refused with %j for a version',
    async (malformed) => {
      await start({ role: 'customer' });
      const refusal = await refusalOf(service, () => put({}, malformed));
      expect(refusal).toEqual({ status: 400, code: 'ERR_REQUEST_HEADER', field: 'If-Match' });
    },
  );

  test.each<[string, unknown, object]>([
    ['are missing', undefined, { code: 'ERR_REQUEST_INPUT', field: 'attributes' }],
    ['are null', null, { code: 'ERR_REQUEST_INPUT', field: 'attributes' }],
    ['are an array', [], { code: 'ERR_REQUEST_INPUT', field: 'attributes' }],
    ['have an empty key', { '': 1 }, { code: 'ERR_SESSION_INPUT', constraint: 'attribute-key' }],
    ['have a long key', { ['k'.repeat(129)]: 1 }, { constraint: 'attribute-key-length', limit: 128 }],
    ['have a large value', { a: 'x'.repeat(16_384) }, { constraint: 'attribute-value-size', field: 'attributes.a' }],
    ['are too many', Object.fromEntries(Array.from({ length: 101 }, (_, n) => [n, n])), { limit: 100 }],
  ])('is refused when the attributes %s', async (_, attributes, fields) => {
    await start({ role: 'customer' });
    expect(await refusalOf(service, () => put(attributes, '"1"'))).toMatchObject({ status: 400, ...fields });
  });

  test('leaves alone what the caller may not read', async () => {
    await start({ role: 'customer', 'cart.total': 5, 'cart.note': 'x' });
    const body = { attributes: { 'cart.total': 6 } };
    const replaced = await cart<Session>(`PUT ${path}`, body, { 'if-match': '"1"' });
    expect(replaced.json.attributes).toEqual({ 'cart.total': 6 });
    expect((await order<Session>(`GET ${path}`)).json.attributes).toEqual({ role: 'customer', 'cart.total': 6 });
  });

  test('is refused whole when it touches what the caller may not write', async () => {
    await start({ role: 'customer', 'cart.total': 5 });
    const body = { attributes: { 'cart.total': 6, role: 'admin' } };
    const refusal = await refusalOf(service, () => cart(`PUT ${path}`, body, { 'if-match': '"1"' }));
    expect(refusal).toEqual({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.write:role' });
  });

  test('is made once of ten at the same time', async () => {
    await start({});
    const carryOut = storage.hold('replace');
    const answering = Promise.all(Array.from({ length: 10 }, (_, writer) => put({ writer }, '"1"')));
    // By the time that these are answered, the ten have come in, and have read the same version.
    for (let index = 0; index < 3; index++) await order('GET /health/live');
    carryOut();
    const answers = await answering;
    const made = answers.filter(({ status }) => status === 200);
    expect(made).toHaveLength(1);
    const refusals = answers.filter((answer) => answer !== made[0]).map((answer) => refusalIn(answer));
    const refused = { status: 412, code: 'ERR_SESSION_CONFLICT', currentVersion: 2 };
    expect(refusals).toEqual(Array.from({ length: 9 }, () => refused));
    expect((await order(`GET ${path}`)).json).toEqual(made[0]!.json);
  });
});
