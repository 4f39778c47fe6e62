import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ServiceCredential } from 'nestjs-distributed-session';
import { basic, bearer } from '../support/credential-headers.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type ServiceClient, clientOf } from '../support/service-client.js';
import { refusalIn } from '../support/service-refusal.js';

const CHOSEN_SECRET = 'a secret that its operator chose for';
const INVALID = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };
const THROTTLED = { status: 429, code: 'ERR_SERVICE_AUTHENTICATION' };

const chosen = (serviceId: string) => basic(serviceId, `${CHOSEN_SECRET} ${serviceId}`);

const verify = (caller: ServiceClient, body: object) => caller<ServiceCredential>('POST /v1/services/verify', body);

describe.each(SERVERS)('On %s, while a stranger floods the session service with made-up ids', (HTTP_ADAPTER) => {
  let service: RunningService;
  let generated: string;
  let attackers = 0;

  beforeAll(async () => {
    service = await startService({ variables: { HTTP_ADAPTER, TRUST_PROXY: '1' } });
    const permissions = ['session.list', 'service.read'];
    const registration = { serviceId: 'generated', serviceName: 'Generated', permissions };
    generated = (await service.sessions.registerService(registration)).secret;
    for (const serviceId of ['pay', 'order', 'known']) {
      const secretKey = `${CHOSEN_SECRET} ${serviceId}`;
      await service.sessions.registerService({ serviceId, serviceName: serviceId, permissions, secretKey });
    }
  });

  afterAll(stopServices);

  const from = (address: string, credential: Record<string, string>): ServiceClient =>
    clientOf(service, { ...credential, 'x-forwarded-for': address });
  const guess = (address: string, serviceId: string, secret = 'a secret that is wrong') =>
    from(address, basic(serviceId, secret))('GET /v1/counts');

  /** Sends 100 requests at once from one new address. */
  function flood(): { readonly address: string; readonly answers: ReturnType<typeof guess>[] } {
    const address = `198.51.100.${++attackers}`;
    return {
      address,
      answers: Array.from({ length: 100 }, (_, n) => guess(address, `made-up-${n}`, `guess ${n} of many`)),
    };
  }

  test('services with chosen secrets authenticate for the first time, and generated secrets from anywhere', async () => {
    const { address, answers } = flood();
    const services = [from('203.0.113.1', chosen('pay')), from('203.0.113.2', chosen('order'))];
    const strangers = [from(address, bearer(generated)), from('203.0.113.3', basic('generated', generated))];
    const accepted = await Promise.all([...services, ...strangers].map((client) => client('GET /v1/counts')));
    expect(accepted.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refusals = await Promise.all(answers);
    const [invalid, throttled] = [401, 429].map((wanted) => refusals.filter(({ status }) => status === wanted));
    expect(invalid!.length + throttled!.length).toBe(100);
    // The others find the queue full, or the address blocked.
    expect(invalid!.length).toBeLessThanOrEqual(50);
    for (const answer of throttled!) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('a service that has authenticated before is accepted from the same address, with a chosen secret', async () => {
    const { address, answers } = flood();
    expect((await from('203.0.113.4', chosen('known'))('GET /v1/counts')).status).toBe(200);
    await Promise.all(answers);
    // Makes the process read the service again.
    await service.register(`another-${HTTP_ADAPTER}`);
    expect((await from(address, chosen('known'))('GET /v1/counts')).status).toBe(200);
  });

  test('a source is its address, whatever its port and its spelling', async () => {
    for (const [spellings, elsewhere] of [
      [['192.0.2.1', '192.0.2.1:50001', '::ffff:192.0.2.1', '[::FFFF:c000:201]:443'], '192.0.2.2:50001'],
      [['2001:db8::1', '2001:DB8:0:0:ffff::2', '[2001:db8::3]:443', '2001:db8::4%eth0'], '2001:db8:0:1::1'],
    ] as const) {
      for (let n = 0; n < 10; n++) {
        expect(refusalIn(await guess(spellings[n % spellings.length]!, 'pay'))).toEqual(INVALID);
      }
      for (const spelling of spellings) expect(refusalIn(await guess(spelling, 'pay'))).toEqual(THROTTLED);
      expect(refusalIn(await guess(elsewhere, 'pay'))).toEqual(INVALID);
    }
  });

  test('a caller of /v1/services/verify has thirty failures a minute, whatever sources it names', async () => {
    const [caller, other] = [from('203.0.113.5', chosen('pay')), from('203.0.113.5', bearer(generated))];
    const wrong = { serviceId: 'order', secret: generated.replace(/.$/, '!') };
    for (let n = 0; n < 30; n++) {
      const answer = await verify(caller, n % 3 === 0 ? wrong : { ...wrong, source: `10.0.${n}.1` });
      expect(refusalIn(answer)).toEqual({ ...INVALID, status: 422 });
    }
    expect(refusalIn(await verify(caller, { ...wrong, source: '10.0.99.1' }))).toEqual(THROTTLED);
    expect((await verify(caller, { secret: generated, source: '10.0.99.1' })).json.serviceId).toBe('generated');
    expect(refusalIn(await verify(other, { ...wrong, source: '10.0.99.1' }))).toEqual({ ...INVALID, status: 422 });
  });
});
