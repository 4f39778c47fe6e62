import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALL_SERVERS, type RunningService, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalOf } from '../support/service-refusal.js';

describe.each(ALL_SERVERS)('On %s, a service with service.manage', (HTTP_ADAPTER) => {
  let service: RunningService;
  let manager: ServiceClient;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER } });
    manager = clientOf(service, await service.register('manager', 'service.*'));
  });

  afterAll(stopServices);

  test.each(['session-service', 'Session-Service', 'session-service.'])('cannot register %j', async (serviceId) => {
    const body = { serviceId, serviceName: 'x', permissions: [], replace: true };
    const refused = { status: 400, code: 'ERR_SERVICE_INPUT', field: 'serviceId' };
    for (const client of [manager, clientOf(service, service.administrator)]) {
      expect(await refusalOf(service, () => client('POST /v1/services', body))).toMatchObject(refused);
    }
  });

  test('cannot change the administrator', async () => {
    const body = { serviceId: 'admin', serviceName: 'x', permissions: [], replace: true };
    const keyId = (await service.storage.services.find('admin'))!.secrets[0]!.keyId;
    const refused = { status: 403, code: 'ERR_SERVICE_PERMISSION', permission: '*' };
    for (const [line, given] of [
      ['POST /v1/services', body],
      ['POST /v1/services/admin/secrets', {}],
      ['DELETE /v1/services/admin', undefined],
      [`DELETE /v1/services/admin/secrets/${keyId}`, undefined],
    ] as const) {
      expect(await refusalOf(service, () => manager(line, given))).toEqual(refused);
    }
  });
});
