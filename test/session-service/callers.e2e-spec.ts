import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { basic, bearer, serviceHeaders } from '../support/credential-headers.js';
import type { Answer } from '../support/http-request.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';
import { type SentHeaders, clientOf } from '../support/service-client.js';
import { refusalIn, refusalOf } from '../support/service-refusal.js';

const ATTEMPTS = 10;
const COUNTS = 'GET /v1/counts';
const unproven = { status: 401, code: 'ERR_SERVICE_AUTHENTICATION' };

describe.each(SERVERS)('the proof of a caller over %s', (HTTP_ADAPTER) => {
  let clock: FakeClock;
  let service: RunningService;
  let secret: string;
  let other: string;
  let serviceId: string;
  let services = 0;

  beforeAll(async () => {
    clock = new FakeClock();
    service = await startService({ variables: { HTTP_ADAPTER }, storage: new InMemorySessionStorage({ clock }) });
    ({ secret: other } = await register('other'));
  });

  beforeEach(async () => {
    serviceId = `order-${++services}`;
    ({ secret } = await register(serviceId));
  });

  afterAll(stopServices);

  const register = (id: string) =>
    service.sessions.registerService({ serviceId: id, serviceName: id, permissions: ['session.list'] });
  const ask = (headers: SentHeaders, line = COUNTS) => clientOf(service)(line, undefined, headers);

  test('is taken as HTTP Basic, as bearer token, and from headers of its own', async () => {
    const encoded = Buffer.from(`${serviceId}:${secret}`).toString('base64');
    for (const headers of [
      basic(serviceId, secret),
      bearer(secret),
      serviceHeaders(serviceId, secret),
      { authorization: `basic ${encoded}` },
      { authorization: `BEARER  ${secret}` },
      service.administrator,
    ]) {
      expect([headers, (await ask(headers)).status]).toEqual([headers, 200]);
    }
  });

  test('that fails is answered with one answer, byte for byte, whatever was wrong', async () => {
    const attempts: SentHeaders[] = [
      {},
      basic(serviceId, other),
      basic('nobody', other),
      basic('nobody', secret),
      basic(serviceId, 'a-wrong-secret-of-its-own'),
      basic('nobody', 'a-wrong-secret-of-its-own'),
      basic(serviceId, ''),
      basic('', secret),
      basic(`${serviceId} `, secret),
      basic(serviceId.toUpperCase(), secret),
      basic(serviceId, `${secret} `),
      basic(serviceId, secret.slice(0, -1)),
      basic(serviceId, 'x'.repeat(5_000)),
      basic('not an id', secret),
      basic('__proto__', secret),
      bearer(secret.replace(/.$/, '!')),
      bearer('dss_'),
      bearer(''),
      serviceHeaders(serviceId, other),
      serviceHeaders('nobody', other),
      { 'x-service-id': serviceId },
      { 'x-service-secret': secret },
      { authorization: '' },
      { authorization: 'Basic' },
      { authorization: 'Basic !!!' },
      { authorization: `Basic ${Buffer.from(serviceId).toString('base64')}` },
      { authorization: `Digest ${secret}` },
      { authorization: secret },
    ];
    const answers = new Set<string>();
    for (const headers of attempts) {
      const answer = await ask(headers);
      expect([headers, refusalIn(answer)]).toEqual([headers, unproven]);
      answers.add(shown(answer));
    }
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('"www-authenticate","Basic realm=\\"services\\", charset=\\"UTF-8\\""');
  });

  test('is not taken from the URL, from a body, or from a cookie', async () => {
    const encoded = Buffer.from(`${serviceId}:${secret}`).toString('base64');
    const host = new URL(service.url).host;
    const lines = [
      `${COUNTS}?secret=${secret}`,
      `${COUNTS}?access_token=${secret}`,
      `${COUNTS}?authorization=Basic%20${encoded}`,
      `${COUNTS}?x-service-id=${serviceId}&x-service-secret=${secret}`,
      `${COUNTS}?serviceId=${serviceId}&secret=${secret}`,
      `${COUNTS};x-service-secret=${secret}`,
      `GET http://${serviceId}:${secret}@${host}/v1/counts`,
      `GET /${serviceId}:${secret}@/v1/counts`,
      `GET /v1/services/${secret}`,
    ];
    for (const line of lines) {
      const refusal = await refusalOf(service, () => ask({}, line));
      expect([line, [401, 404].includes(refusal['status'] as number)]).toEqual([line, true]);
      const answer = await ask({ cookie: `secret=${secret}; x-service-secret=${secret}` }, line);
      expect(answer.text).not.toContain(secret);
    }
    const body = { serviceId, secret, loginId: 'alice', permissions: [] };
    for (const line of ['POST /v1/sessions', 'POST /v1/services', 'POST /v1/services/verify']) {
      expect(await refusalOf(service, () => clientOf(service)(line, body))).toEqual(unproven);
    }
  });

  test('is not tried again and again: 429 with Retry-After, whatever is sent next', async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      expect(refusalIn(await ask(basic(serviceId, other)))).toEqual(unproven);
    }
    clock.advance(500);
    for (const headers of [basic(serviceId, other), basic(serviceId, secret), serviceHeaders(serviceId, secret)]) {
      const answer = await ask(headers);
      expect(refusalIn(answer)).toEqual({ status: 429, code: 'ERR_SERVICE_AUTHENTICATION' });
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(answer.headers.get('www-authenticate')).toBeNull();
    }
    expect((await ask(basic('other', other))).status).toBe(200);
    clock.advance(58_500);
    expect((await ask(basic(serviceId, secret))).headers.get('retry-after')).toBe('1');
    clock.advance(1_000);
    expect((await ask(basic(serviceId, secret))).status).toBe(200);
  });

  test('is throttled for a service that does not exist as for one that does', async () => {
    const texts: string[][] = [];
    for (const id of [serviceId, `nobody-${serviceId}`]) {
      const answers: string[] = [];
      for (let attempt = 0; attempt <= ATTEMPTS; attempt++) answers.push(shown(await ask(basic(id, other))));
      texts.push(answers);
    }
    expect(texts[0]).toEqual(texts[1]);
    expect(texts[0]!.at(-1)).toContain('429');
  });
});

/** All of an answer but for when it was made and what names its request. */
function shown({ status, headers, text }: Answer): string {
  const id = headers.get('x-request-id')!;
  const kept = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id');
  return JSON.stringify([status, kept, text.replace(id, '')]);
}
