import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AttributeInput, Session } from 'nestjs-distributed-session';
import { sendConcurrently } from '../support/concurrent-requests.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';
import { WatchedStorage } from '../support/watched-storage.js';

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let storage: WatchedStorage;
  let service: RunningService;
  let order: ServiceClient;
  let cart: ServiceClient;
  /** The path of the current session. */
  let path: string;

  beforeAll(async () => {
    storage = new WatchedStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
    order = clientOf(service, await service.register('order', 'session.read', 'session.write'));
    cart = clientOf(service, await service.register('cart', 'session.read:cart.*', 'session.write:cart.*'));
  });

  afterAll(stopServices);

  /** Makes a new session the current one. */
  async function begin(attributes: AttributeInput): Promise<void> {
    const { sessionId } = await service.sessions.createSession('alice', undefined, { attributes });
    path = `/v1/sessions/${sessionId}`;
  }

  const put = (attributes: unknown, ifMatch?: string) =>
    order<Session>(`PUT ${path}`, { attributes }, { 'if-match': ifMatch });

  test('replaces all attributes if If-Match is the current version, and returns the next version', async () => {
    await begin({ role: 'customer', cart: [1] });
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

  test('keeps the version when a replacement changes nothing', async () => {
    await begin({ role: 'customer' });
    const same = await put({ role: 'customer' }, '"1"');
    expect([same.status, same.headers.get('etag')]).toEqual([200, '"1"']);
  });

  test('rejects a replacement of another version, and returns the current one', async () => {
    await begin({ role: 'customer' });
    await put({ role: 'admin' }, '"1"');
    for (const stale of ['"1"', '"0"', '"3"', '"999999999999999"']) {
      const refusal = await refusalOf(service, () => put({ role: 'guest' }, stale));
      expect(refusal).toEqual({ status: 412, code: 'ERR_SESSION_CONFLICT', currentVersion: 2 });
    }
  });

  test('replaces the version in a tag that a proxy has changed, and in a list of tags', async () => {
    await begin({ role: 'customer' });
    let version = 1;
    for (const form of [
      (n: number) => `W/"${n}"`,
      (n: number) => `"${n}-gzip"`,
      (n: number) => `"77", W/"${n}", "0"`,
    ]) {
      const stale = await refusalOf(service, () => put({ role: 'guest' }, form(version + 5)));
      expect(stale).toEqual({ status: 412, code: 'ERR_SESSION_CONFLICT', currentVersion: version });
      const replaced = await put({ role: `role ${version}` }, form(version));
      expect([replaced.status, replaced.json.version]).toEqual([200, ++version]);
    }
  });

  test('rejects a replacement without a version, and with * as the version', async () => {
    await begin({ role: 'customer' });
    for (const none of [undefined, '*', ' * ']) {
      const refusal = await refusalOf(service, () => put({}, none));
      expect(refusal).toEqual({ status: 428, code: 'ERR_VERSION_REQUIRED', field: 'If-Match' });
    }
  });

  test.each(['1', 'w/"1"', '"1", 2', '"1""1"', '""', '', '"01x"', '"-1"', '"1.0"', `"${'1'.repeat(16)}"`, "'1'"])(
    'rejects a replacement with the malformed version %j',
    async (malformed) => {
      await begin({ role: 'customer' });
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
  ])('rejects a replacement whose attributes %s', async (_, attributes, fields) => {
    await begin({ role: 'customer' });
    expect(await refusalOf(service, () => put(attributes, '"1"'))).toMatchObject({ status: 400, ...fields });
  });

  test('replaces only the attributes that the caller may read', async () => {
    await begin({ role: 'customer', 'cart.total': 5, 'cart.note': 'x' });
    const body = { attributes: { 'cart.total': 6 } };
    const replaced = await cart<Session>(`PUT ${path}`, body, { 'if-match': '"1"' });
    expect(replaced.json.attributes).toEqual({ 'cart.total': 6 });
    expect((await order<Session>(`GET ${path}`)).json.attributes).toEqual({ role: 'customer', 'cart.total': 6 });
  });

  test('rejects a replacement as a whole if the caller may not write one of the attributes', async () => {
    await begin({ role: 'customer', 'cart.total': 5 });
    const body = { attributes: { 'cart.total': 6, role: 'admin' } };
    const refusal = await refusalOf(service, () => cart(`PUT ${path}`, body, { 'if-match': '"1"' }));
    expect(refusal).toEqual({ status: 403, code: 'ERR_SERVICE_PERMISSION', permission: 'session.write:role' });
  });

  test('carries out one of ten concurrent replacements of a version', async () => {
    await begin({});
    const writes = Array.from({ length: 10 }, (_, writer) => () => put({ writer }, '"1"'));
    const answers = await sendConcurrently({ app: service.app, storage }, ['replace'], writes);
    const made = answers.filter(({ status }) => status === 200);
    expect(made).toHaveLength(1);
    const refusals = answers.filter((answer) => answer !== made[0]).map((answer) => refusalIn(answer));
    const refused = { status: 412, code: 'ERR_SESSION_CONFLICT', currentVersion: 2 };
    expect(refusals).toEqual(Array.from({ length: 9 }, () => refused));
    expect((await order(`GET ${path}`)).json).toEqual(made[0]!.json);
  });
});
