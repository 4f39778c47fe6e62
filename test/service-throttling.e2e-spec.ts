import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InMemorySessionStorage, ServiceAuthGuard } from 'nestjs-distributed-session';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { ADAPTERS, PROXIED_ADAPTERS } from './support/adapters.js';
import { basic } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

const ATTEMPTS = 10;
const WINDOW_MS = 60_000;
const HERE = { 'x-forwarded-for': '192.0.2.1' };
const ELSEWHERE = { 'x-forwarded-for': '192.0.2.2' };

@UseGuards(ServiceAuthGuard)
@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }
}

afterEach(closeApps);

describe.each(PROXIED_ADAPTERS)('throttling of ServiceAuthGuard on %s', (_name, makeAdapter) => {
  let clock: FakeClock;
  let orders: RunningApp;
  let secret: string;
  let wrong: string;
  let failures: number[];

  beforeEach(async () => {
    clock = new FakeClock();
    const storage = new InMemorySessionStorage({ clock });
    orders = await startSessionApp(makeAdapter, { serviceId: 'orders', storage }, { controllers: [OrdersController] });
    const register = (serviceId: string) =>
      orders.sessions.registerService({ serviceId, serviceName: serviceId, permissions: ['session.read'] });
    ({ secret } = await register('gateway'));
    ({ secret: wrong } = await register('other'));
    failures = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) failures.push((await attemptWith(wrong, HERE)).status);
  });

  const attemptWith = (given: string, source: Record<string, string>) =>
    send(`${orders.url}/orders`, { ...basic('gateway', given), ...source });

  test('answers 429 with Retry-After to a source that failed too often, whatever it sends next', async () => {
    expect(failures).toEqual(Array.from({ length: ATTEMPTS }, () => 401));
    for (const given of [wrong, secret]) {
      const answer = await attemptWith(given, HERE);
      expect(answer.status).toBe(429);
      expect(answer.headers.get('retry-after')).toBe('60');
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(answer.json).toMatchObject({ statusCode: 429, code: 'ERR_SERVICE_AUTHENTICATION' });
    }
  });

  test('serves the right secret from elsewhere, so that a stranger cannot lock a service out', async () => {
    expect((await attemptWith(secret, ELSEWHERE)).status).toBe(200);
  });

  test('does not punish another service that calls from the same source', async () => {
    expect((await send(`${orders.url}/orders`, { ...basic('other', wrong), ...HERE })).status).toBe(200);
  });

  test('lets the source try again when the time is over, and tells how long that is', async () => {
    clock.advance(WINDOW_MS - 1);
    const refused = await attemptWith(secret, HERE);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    clock.advance(1);
    expect((await attemptWith(secret, HERE)).status).toBe(200);
  });
});

describe.each(ADAPTERS)('throttling of ServiceAuthGuard on %s without a trusted proxy', (_name, makeAdapter) => {
  test('is not escaped by naming another source in a header', async () => {
    const storage = new InMemorySessionStorage({ clock: new FakeClock() });
    const orders = await startSessionApp(
      makeAdapter,
      { serviceId: 'orders', storage },
      { controllers: [OrdersController] },
    );
    const { secret } = await orders.sessions.registerService({
      serviceId: 'other',
      serviceName: 'Other',
      permissions: [],
    });
    const statuses: number[] = [];
    for (let attempt = 0; attempt <= ATTEMPTS; attempt++) {
      const headers = { ...basic('gateway', secret), 'x-forwarded-for': `192.0.2.${attempt}` };
      statuses.push((await send(`${orders.url}/orders`, headers)).status);
    }
    expect(statuses).toEqual([...Array.from({ length: ATTEMPTS }, () => 401), 429]);
  });
});
