import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openApiDocument } from '../../src/openapi/openapi-document.js';
import { bearer, serviceHeaders } from '../support/credential-headers.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import {
  SINGLE_PERMISSIONS,
  type ServiceOperation,
  missingPermission,
  operationsOf,
  requestOf,
} from '../support/service-operations.js';
import { refusalIn } from '../support/service-refusal.js';
import { WatchedStorage } from '../support/watched-storage.js';

/** Some rows by hand, so that a fault of what generates the table cannot hide: the operation, what grants it, all else does not. */
const ROWS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  createSession: ['session.create', 'session.*', '*'],
  getSession: ['session.read', 'session.read:cart.*', 'session.*', '*'],
  replaceSession: ['session.*', '*'],
  patchAttributes: ['session.write', 'session.write:cart.*', 'session.*', '*'],
  deleteAllSessions: ['session.delete', 'session.*', '*'],
  streamEvents: ['session.list', 'session.*', '*'],
  listServices: ['service.read', '*'],
  rotateServiceSecret: ['service.manage', '*'],
};

/** Which operations issue secrets, and the fields that no other one answers with. */
const ISSUING = ['createSession', 'rotateSession', 'registerService', 'rotateServiceSecret'];
const ISSUED = ['"token":', '"credential":', '"secret":'];
/** What the storage is asked for before it is known who calls; all else belongs to the operation. */
const OF_THE_PROOF = /^(?:services\.(?:find|findByKeyId|recordUse)|sweep)(?: done)?$/;

describe.each(SERVERS)('the permission table over %s', (HTTP_ADAPTER) => {
  let storage: WatchedStorage;
  let service: RunningService;
  let operations: ServiceOperation[];
  const clients = new Map<string | undefined, ServiceClient>();

  beforeAll(async () => {
    storage = new WatchedStorage();
    service = await startService({ variables: { HTTP_ADAPTER }, storage });
    operations = operationsOf(openApiDocument(service.app)).filter(({ path }) => path.startsWith('/v1/'));
    for (const [index, permission] of SINGLE_PERMISSIONS.entries()) {
      const permissions = permission === undefined ? [] : [permission];
      clients.set(permission, clientOf(service, await service.register(`single-${index}`, ...permissions)));
    }
  });

  afterAll(stopServices);

  test('has twenty-five operations and twelve callers, and asks for something everywhere', () => {
    expect([operations.length, SINGLE_PERMISSIONS.length]).toEqual([25, 12]);
    for (const { requirements } of operations) {
      expect(requirements!.length).toBeGreaterThan(0);
      for (const { permission } of requirements!) expect(SINGLE_PERMISSIONS).toContain(permission);
    }
    expect(operations.map(({ operationId }) => operationId)).toEqual(expect.arrayContaining(Object.keys(ROWS)));
  });

  test.each(Object.entries(ROWS))('has %s for %j and for nobody else', (name, granting) => {
    const { requirements } = operations.find(({ operationId }) => operationId === name)!;
    const granted = SINGLE_PERMISSIONS.filter((held) => missingPermission(requirements!, held) === undefined);
    expect(granted.map(String).toSorted()).toEqual(granting.map(String).toSorted());
  });

  test.each(SINGLE_PERMISSIONS.map((permission) => [permission ?? 'no permission', permission] as const))(
    'holds for who has %s: what is not granted is refused, and all else is carried out',
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
          const touched = storage.calls.slice(called).filter((call) => !OF_THE_PROOF.test(call));
          outcomes.push({ operationId, ...refusalIn(answer), touched });
          const refused = { status: 403, code: 'ERR_SERVICE_PERMISSION', permission: missing, touched: [] };
          expected.push({ operationId, ...refused });
        }
      }
      expect(outcomes).toEqual(expected);
    },
  );

  test('lets nobody in without a credential, nor with a wrong one', async () => {
    for (const operation of operations) {
      const { line, body, headers } = await requestOf(operation, service);
      for (const caller of [
        {},
        bearer(`dss_${operation.operationId}`),
        serviceHeaders(operation.operationId, 'dss_'),
      ]) {
        const called = storage.calls.length;
        const answer = await clientOf(service, caller)(line, body, headers);
        expect(refusalIn(answer)).toEqual({ status: 401, code: 'ERR_SERVICE_AUTHENTICATION' });
        expect(answer.headers.get('www-authenticate')).toBe('Basic realm="services", charset="UTF-8"');
        expect(storage.calls.slice(called).filter((call) => !OF_THE_PROOF.test(call))).toEqual([]);
      }
    }
  });

  test('has health and metrics for everybody', async () => {
    const open = operationsOf(openApiDocument(service.app)).filter(({ path }) => !path.startsWith('/v1/'));
    expect(open.map(({ path }) => path)).toEqual(['/health/live', '/health/ready', '/metrics']);
    for (const { method, path, requirements } of open) {
      const { status } = await clientOf(service)(`${method} ${path}`);
      expect({ path, requirements, status }).toEqual({ path, requirements: undefined, status: 200 });
    }
  });
});

describe('the routes of the session service', () => {
  afterAll(stopServices);

  test('are all in its OpenAPI document, and so in the permission table', async () => {
    const { app } = await startService({ variables: { DOCS: 'off' } });
    const { router } = app.getHttpAdapter().getInstance() as { router: { stack: readonly RouterLayer[] } };
    const served = router.stack.flatMap(({ route }) =>
      route ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`) : [],
    );
    const documented = operationsOf(openApiDocument(app)).map(
      ({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    );
    expect(served.toSorted()).toEqual(documented.toSorted());
  });
});

interface RouterLayer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}
