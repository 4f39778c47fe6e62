import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { bearer, serviceHeaders } from '../support/credential-headers.js';
import { type ApiOperation, operationsIn } from '../support/openapi-operations.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { SINGLE_PERMISSIONS, missingPermission, requestOf } from '../support/service-operations.js';
import { denied, refusalIn, refusalOf } from '../support/service-refusal.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** Some rows written by hand, so that an error in the generated table cannot hide: an operation and all that grant it. */
const ROWS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  createSession: ['session.create', 'session.*', '*'],
  rotateSession: ['session.create', 'session.*', '*'],
  rotateSessionById: ['session.impersonate', 'session.*', '*'],
  getSession: ['session.read', 'session.read:cart.*', 'session.*', '*'],
  replaceSession: ['session.*', '*'],
  patchAttributes: ['session.write', 'session.write:cart.*', 'session.*', '*'],
  deleteAllSessions: ['session.delete', 'session.*', '*'],
  streamEvents: ['session.list', 'session.*', '*'],
  listServices: ['service.read', '*'],
  rotateServiceSecret: ['service.manage', '*'],
};

/** The operations that issue secrets, and the fields that no other operation answers with. */
const ISSUING = ['createSession', 'rotateSession', 'rotateSessionById', 'registerService', 'rotateServiceSecret'];
const ISSUED = ['"token":', '"credential":', '"secret":'];
/** The storage calls of authentication. Every other call belongs to an operation. */
const OF_AUTHENTICATION = /^(?:services\.(?:find|findByKeyId|recordUse)|sweep)(?: done)?$/;

describe.each(SERVERS)('On %s, the session service', (HTTP_ADAPTER) => {
  let storage: WatchedStorage;
  let service: RunningService;
  let operations: ApiOperation[];
  let anonymous: ServiceClient;
  let cart: ServiceClient;
  /** The path of a session and its credential. */
  let path: string;
  let credential: string;
  const clients = new Map<string | undefined, ServiceClient>();

  beforeAll(async () => {
    storage = new WatchedStorage();
    service = await startService({ variables: { HTTP_ADAPTER, TRUST_PROXY: '1' }, storage });
    operations = operationsIn(openApiDocument(service.app)).filter(({ path: route }) => route.startsWith('/v1/'));
    for (const [index, permission] of SINGLE_PERMISSIONS.entries()) {
      const permissions = permission === undefined ? [] : [permission];
      clients.set(permission, clientOf(service, await service.register(`single-${index}`, ...permissions)));
    }
    const ofCart = ['session.create', 'session.list', 'session.read:cart.*', 'session.write:cart.*'];
    cart = clientOf(service, await service.register('cart', ...ofCart));
    anonymous = clientOf(service);
  });

  beforeEach(async () => {
    await service.sessions.deleteAllSessions('alice');
    const session = await service.sessions.createSession('alice');
    path = `/v1/sessions/${session.sessionId}`;
    ({ credential } = session);
  });

  afterAll(stopServices);

  test('requires a permission for each of 29 operations', () => {
    expect(operations).toHaveLength(29);
    for (const { requirements } of operations) {
      expect(requirements!.length).toBeGreaterThan(0);
      for (const { permission } of requirements!) expect(SINGLE_PERMISSIONS).toContain(permission);
    }
    expect(operations.map(({ operationId }) => operationId)).toEqual(expect.arrayContaining(Object.keys(ROWS)));
  });

  test.each(Object.entries(ROWS))('grants %s to callers with one of %j only', (name, granting) => {
    const { requirements } = operations.find(({ operationId }) => operationId === name)!;
    const granted = SINGLE_PERMISSIONS.filter((held) => missingPermission(requirements!, held) === undefined);
    expect(granted.map(String).toSorted()).toEqual(granting.map(String).toSorted());
  });

  test.each(SINGLE_PERMISSIONS.map((permission) => [permission ?? 'no permission', permission] as const))(
    'carries out what a caller with %s may do, and rejects everything else before it reaches the storage',
    async (_, held) => {
      const outcomes: unknown[] = [];
      const expected: unknown[] = [];
      for (const operation of operations) {
        const { operationId, requirements } = operation;
        const { line, body, headers, secrets } = await requestOf(operation, service);
        const called = storage.calls.length;
        const answer = await clients.get(held)!(line, body, headers);
        const missing = missingPermission(requirements!, held);
        if (missing === undefined) {
          const isIssuing = ISSUING.includes(operationId);
          const shown = [...secrets, ...(isIssuing ? [] : ISSUED)].filter((secret) => answer.text.includes(secret));
          outcomes.push({ operationId, status: answer.status, shown });
          expected.push({ operationId, status: isIssuing ? 201 : 200, shown: [] });
        } else {
          const touched = storage.calls.slice(called).filter((call) => !OF_AUTHENTICATION.test(call));
          outcomes.push({ operationId, ...refusalIn(answer), touched });
          expected.push({ operationId, ...denied(missing), touched: [] });
        }
      }
      expect(outcomes).toEqual(expected);
    },
  );

  test('rejects every operation without a credential, and with a wrong one', async () => {
    let failures = 0;
    for (const operation of operations) {
      const { line, body, headers } = await requestOf(operation, service);
      for (const caller of [
        {},
        bearer(`dss_${operation.operationId}`),
        serviceHeaders(operation.operationId, 'dss_'),
      ]) {
        const called = storage.calls.length;
        // Each failure from another address, because failed attempts of one are throttled.
        const from = { 'x-forwarded-for': `198.51.100.${++failures}` };
        const answer = await clientOf(service, caller)(line, body, { ...headers, ...from });
        expect(refusalIn(answer)).toEqual({ status: 401, code: 'ERR_SERVICE_AUTHENTICATION' });
        expect(answer.headers.get('www-authenticate')).toBe('Basic realm="services", charset="UTF-8"');
        expect(storage.calls.slice(called).filter((call) => !OF_AUTHENTICATION.test(call))).toEqual([]);
      }
    }
  });

  test('requires no credential for health and metrics', async () => {
    const open = operationsIn(openApiDocument(service.app)).filter((operation) => !operation.path.startsWith('/v1/'));
    expect(open.map((operation) => operation.path)).toEqual(['/health/live', '/health/ready', '/metrics']);
    for (const operation of open) {
      expect(operation.requirements).toBeUndefined();
      expect((await anonymous(`GET ${operation.path}`)).status).toBe(200);
    }
  });

  test('grants no access for a known session id, not even to the service that created the session', async () => {
    const own = await cart<IssuedSessionView>('POST /v1/sessions', { loginId: 'dave' });
    for (const id of [own.json.sessionId, path.split('/').at(-1)]) {
      const refusal = await refusalOf(service, () => cart(`DELETE /v1/sessions/${id}?reason=kicked-out`));
      expect(refusal).toEqual(denied('session.delete'));
    }
    const deleter = clientOf(service, await service.register('deleter', 'session.delete'));
    const requests: [permission: string, line: string, body?: object][] = [
      ['session.read', `GET ${path}`],
      ['session.read', `POST ${path}/refresh`],
      ['session.create', 'POST /v1/sessions/rotate', { credential }],
      ['session.impersonate', `POST ${path}/rotate`, { actor: 'ops' }],
      ['session.list', 'GET /v1/logins/alice/sessions'],
      ['session.list', 'GET /v1/logins/alice/history'],
      ['session.list', 'GET /v1/logins'],
    ];
    for (const [permission, line, body] of requests) {
      expect(await refusalOf(service, () => deleter(line, body))).toEqual(denied(permission));
    }
  });

  test('accepts neither a session id nor a session credential as a service credential', async () => {
    const unauthenticated = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };
    for (const headers of [
      { authorization: `Bearer ${credential}` },
      { cookie: `__Host-session=${credential}` },
      { 'x-session-id': path.split('/').at(-1) },
    ]) {
      expect(await refusalOf(service, () => anonymous(`GET ${path}`, undefined, headers))).toEqual(unauthenticated);
      expect(await refusalOf(service, () => anonymous(`DELETE ${path}`, undefined, headers))).toEqual(unauthenticated);
    }
  });
});
