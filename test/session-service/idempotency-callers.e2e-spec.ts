import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { IdempotencyKeys } from '../../src/http/idempotency-keys.js';
import type { IssuedSessionView } from '../../src/sessions/session.dto.js';
import { basic } from '../support/credential-headers.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { denied, refusalIn, refusalOf } from '../support/service-refusal.js';

/** The caller of a case, and a service that it registers. */
const deployerOf = (number: number) => ({ serviceId: `deployer-${number}`, serviceName: 'Deployer' });
const victimOf = (number: number) => ({ serviceId: `victim-${number}`, serviceName: 'Victim', permissions: [] });

describe.each(SERVERS)('On %s, an Idempotency-Key', (HTTP_ADAPTER) => {
  let service: RunningService;
  let one: ServiceClient;
  let key: { 'idempotency-key': string };
  let keys = 0;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    one = clientOf(service, await service.register('one', '*'));
  });

  beforeEach(() => {
    key = { 'idempotency-key': `key-${++keys}` };
  });

  afterAll(stopServices);

  /** Registers the deployer again, and returns a client with its new secret. */
  const replaced = async (...permissions: string[]) => {
    const given = { ...deployerOf(keys), permissions };
    const { serviceId, secret } = await service.sessions.registerService(given, { replace: true });
    return clientOf(service, basic(serviceId, secret));
  };

  test('does not give the answer to a caller without the permission', async () => {
    await one('POST /v1/sessions', { loginId: 'dave' }, key);
    const reader = clientOf(service, await service.register(`reader-${keys}`, 'session.read'));
    expect(await refusalOf(service, () => reader('POST /v1/sessions', { loginId: 'dave' }, key))).toEqual(
      denied('session.create'),
    );
    const anonymous = await clientOf(service)('POST /v1/sessions', { loginId: 'dave' }, key);
    expect(refusalIn(anonymous)).toMatchObject({ status: 401 });
  });

  describe('of a service that changes', () => {
    let deployer: ServiceClient;

    beforeEach(async () => {
      deployer = clientOf(
        service,
        await service.register(deployerOf(keys).serviceId, 'service.manage', 'session.create'),
      );
    });

    test('does not give the answer to whoever replaces the service', async () => {
      const first = await deployer('POST /v1/services', victimOf(keys), key);
      expect(first.status).toBe(201);
      const attacker = await replaced('service.manage');
      const refusal = refusalIn(await attacker('POST /v1/services', victimOf(keys), key));
      expect(refusal).toEqual({ status: 409, code: 'ERR_SERVICE_EXISTS' });
    });

    test('does not give the answer to the same service with fewer permissions', async () => {
      expect((await deployer('POST /v1/sessions', { loginId: 'gina' }, key)).status).toBe(201);
      const weaker = await replaced('service.manage');
      const refusal = refusalIn(await weaker('POST /v1/sessions', { loginId: 'gina' }, key));
      expect(refusal).toMatchObject({ status: 403, permission: 'session.create' });
    });

    test('does not give the answer for another secret of the service, nor after one has ended', async () => {
      const { serviceId } = deployerOf(keys);
      const renewed = await service.sessions.rotateServiceSecret(serviceId);
      const other = clientOf(service, basic(serviceId, renewed.secret));
      const answers = [await deployer('POST /v1/sessions', { loginId: 'hugo' }, key)];
      answers.push(await other('POST /v1/sessions', { loginId: 'hugo' }, key));
      const again = await other('POST /v1/sessions', { loginId: 'hugo' }, key);
      expect(again.text).toBe(answers[1]!.text);
      const [oldKey] = (await service.storage.services.find(serviceId))!.secrets;
      await service.sessions.endServiceSecret(serviceId, oldKey!.keyId);
      answers.push(await other('POST /v1/sessions', { loginId: 'hugo' }, key));
      expect(new Set(answers.map(({ json }) => (json as IssuedSessionView).sessionId)).size).toBe(3);
    });

    test('does not give the answer after the service was revoked and registered again', async () => {
      const first = await deployer('POST /v1/sessions', { loginId: 'ida' }, key);
      const { serviceId } = deployerOf(keys);
      await service.sessions.revokeService(serviceId);
      expect((await deployer('POST /v1/sessions', { loginId: 'ida' }, key)).status).toBe(401);
      const again = clientOf(service, await service.register(serviceId, 'session.create'));
      const second = await again('POST /v1/sessions', { loginId: 'ida' }, key);
      expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, null]);
      expect((second.json as IssuedSessionView).sessionId).not.toBe((first.json as IssuedSessionView).sessionId);
    });

    test('is not kept in memory after the change', async () => {
      const forget = jest.spyOn(service.app.get(IdempotencyKeys, { strict: false }), 'forget');
      const { serviceId } = deployerOf(keys);
      await service.sessions.revokeService(serviceId);
      await eventually(() => forget.mock.calls.length > 0);
      expect(forget).toHaveBeenCalledWith(serviceId);
      forget.mockRestore();
    });
  });
});
