import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { availableParallelism } from 'node:os';
import { WatchedHasher } from '../../../../test/support/watched-hasher.js';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { ServiceAccess } from './service-access.js';
import { ServiceRegistry } from './service-registry.js';
import { generateSecret } from './service-secret.js';
import { ServiceVerifier } from './service-verifier.js';

const CHOSEN = 'correct horse battery staple';
const ATTACKER = '192.0.2.66';
const rejected = { code: 'ERR_SERVICE_AUTHENTICATION', retryAfterMs: undefined };
const admin = ServiceAccess.unrestricted('admin');

describe('ServiceVerifier', () => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;
  let hasher: WatchedHasher;
  let registry: ServiceRegistry;
  let verifier: ServiceVerifier;
  let secret: string;

  beforeEach(async () => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock });
    hasher = new WatchedHasher();
    // Behaves like another process: its changes arrive only on the feed.
    registry = new ServiceRegistry(storage.services, hasher, () => {});
    verifier = new ServiceVerifier(storage, hasher, 30_000);
    secret = (await register('pay')).secret;
  });

  async function register(serviceId: string, secretKey?: string) {
    const registration = { serviceId, serviceName: serviceId, permissions: [], secretKey };
    const issued = await registry.register(registration, false, admin);
    // The registration arrives on the feed before the test begins.
    await new Promise(setImmediate);
    return issued;
  }

  async function rejection(
    serviceId: unknown,
    presented: unknown,
    source?: string,
  ): Promise<ServiceAuthenticationError> {
    const error: unknown = await verifier.verify(serviceId, presented, { source }).catch((thrown: unknown) => thrown);
    if (error instanceof ServiceAuthenticationError) return error;
    throw new Error('was not rejected', { cause: error });
  }

  it('authenticates a service by id and secret, or by a generated secret alone, and returns neither secret nor hash', async () => {
    for (const service of [await verifier.verify('pay', secret), await verifier.verify(undefined, secret)]) {
      expect(service).toMatchObject({ serviceId: 'pay', permissions: [] });
      expect(JSON.stringify(service)).not.toMatch(/dss_|hash|digest/);
    }
    await register('chosen', CHOSEN);
    expect(await verifier.verify('chosen', CHOSEN)).toMatchObject({ serviceId: 'chosen' });
    expect(await rejection(undefined, CHOSEN)).toMatchObject({ retryAfterMs: undefined });
  });

  it('reports which secret authenticated the service at which version, from the storage and from the cache', async () => {
    const first = (await verifier.verify('pay', secret)).keyId;
    const second = await registry.rotateSecret('pay', { overlapMs: 60_000 }, admin);
    await new Promise(setImmediate);
    for (const id of ['pay', undefined]) {
      const [stored, cached] = [await verifier.verify(id, secret), await verifier.verify(id, secret)];
      expect(stored).toMatchObject({ keyId: first, version: 2, secretEndsAt: clock.now() + 60_000 });
      expect(cached).toBe(stored);
      const current = await verifier.verify(id, second.secret);
      expect(current).toMatchObject({ keyId: second.keyId, version: 2 });
      expect(current).not.toHaveProperty('secretEndsAt');
    }
  });

  it('compares a generated secret exactly once, for every cause of a rejection', async () => {
    const foreign = (await register('order')).secret;
    await register('chosen', CHOSEN);
    hasher.takeCounts();
    const typo = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
    const tries = [
      ['pay', generateSecret().secret],
      ['unknown', generateSecret().secret],
      ['unknown', secret],
      ['order', secret],
      ['pay', foreign],
      ['chosen', secret],
      ['pay', typo],
      ['unknown', typo],
      ['pay', 'dss_'],
    ];
    const find = jest.spyOn(storage.services, 'find');
    for (const [id, presented] of tries) {
      await rejection(id, presented);
      expect(hasher.takeCounts()).toEqual({ fast: 1, slow: 0 });
    }
    // A malformed secret matches nothing that could be read.
    expect(find).toHaveBeenCalledTimes(tries.length - 3);
  });

  it('compares a chosen secret exactly twice, for every cause of a rejection', async () => {
    await register('one', CHOSEN);
    await register('two', 'the first of the two secrets');
    await registry.rotateSecret('two', { secretKey: 'the second of the two secrets' }, admin);
    hasher.takeCounts();
    for (const id of ['one', 'two', 'pay', 'unknown']) {
      await rejection(id, 'a wrong but plausible secret');
      expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 2 });
    }
    await verifier.verify('two', 'the first of the two secrets');
    await verifier.verify('two', 'the second of the two secrets');
    expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 4 });
  });

  it('throws the same error for every cause', async () => {
    await register('chosen', CHOSEN);
    const { secret: ended, keyId } = await registry.rotateSecret('pay', {}, admin);
    await registry.endSecret('pay', keyId, admin);
    const causes: [unknown, unknown][] = [
      ['unknown', secret],
      ['unknown', 'a wrong chosen secret'],
      ['pay', generateSecret().secret],
      ['pay', ended],
      ['pay', ''],
      ['pay', 'x'.repeat(513)],
      ['pay', undefined],
      ['pay', [secret]],
      ['', secret],
      ['no spaces', secret],
      [null, secret],
      [undefined, 'dss_malformed'],
      [undefined, ended],
      ['chosen', 'a wrong chosen secret'],
    ];
    for (const cause of causes) {
      const error = await rejection(...cause);
      const { name, message, cause: reason } = error;
      expect({ ...Object.fromEntries(Object.entries(error)), name, message, cause: reason }).toEqual({
        code: 'ERR_SERVICE_AUTHENTICATION',
        name: 'ServiceAuthenticationError',
        message: 'The service id and secret do not match a registered service.',
        retryAfterMs: undefined,
        cause: undefined,
      });
    }
  });

  it('compares no secret again that has matched, and reads its service again when the cache has aged', async () => {
    await register('chosen', CHOSEN);
    const find = jest.spyOn(storage.services, 'find');
    for (const [id, presented] of [
      ['pay', secret],
      ['chosen', CHOSEN],
    ] as const) {
      await verifier.verify(id, presented);
      hasher.takeCounts();
      find.mockClear();
      await verifier.verify(id, presented);
      expect(find).not.toHaveBeenCalled();
      clock.advance(30_000);
      expect(await verifier.verify(id, presented)).toMatchObject({ serviceId: id });
      expect(find).toHaveBeenCalledTimes(1);
      expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 0 });
    }
  });

  it('does not cache a rejection', async () => {
    await rejection('late', CHOSEN);
    await register('late', CHOSEN);
    expect(await verifier.verify('late', CHOSEN)).toMatchObject({ serviceId: 'late' });
  });

  it.each([
    ['revocation', () => registry.revoke('pay', admin)],
    ['emergency rotation', () => registry.rotateSecret('pay', { overlapMs: 0 }, admin)],
  ])('rejects a cached secret after a %s, as soon as the change arrives on the feed', async (_, change) => {
    await verifier.verify('pay', secret);
    await change();
    await new Promise(setImmediate);
    expect(await rejection('pay', secret)).toMatchObject(rejected);
  });

  it('rejects a revoked secret at once after forget()', async () => {
    await verifier.verify('pay', secret);
    await registry.revoke('pay', admin);
    verifier.forget();
    expect(await rejection('pay', secret)).toMatchObject(rejected);
  });

  it('rejects a cached secret when its overlap ends', async () => {
    await registry.rotateSecret('pay', { overlapMs: 5_000 }, admin);
    await new Promise(setImmediate);
    await verifier.verify('pay', secret);
    clock.advance(4_999);
    await verifier.verify('pay', secret);
    clock.advance(1);
    expect(await rejection('pay', secret)).toMatchObject(rejected);
  });

  it('does not cache a verification during which the service is revoked', async () => {
    await register('chosen', CHOSEN);
    const release = hasher.holdSlow();
    const verifying = verifier.verify('chosen', CHOSEN);
    await new Promise(setImmediate);
    await registry.revoke('chosen', admin);
    await new Promise(setImmediate);
    release();
    expect(await verifying).toMatchObject({ serviceId: 'chosen' });
    expect(await rejection('chosen', CHOSEN)).toMatchObject(rejected);
  });

  it('reads the storage while the feed lags behind', async () => {
    await verifier.verify('pay', secret);
    storage.feedLagMs = () => 60_000;
    const find = jest.spyOn(storage.services, 'find');
    await verifier.verify('pay', secret);
    await verifier.verify('pay', secret);
    expect(find).toHaveBeenCalledTimes(2);
  });

  it('compares as few chosen secrets at once as its share of the cores, and refuses the rest at once', async () => {
    const release = hasher.holdSlow();
    const flood = Array.from({ length: 100 }, (_, n) => rejection(`made-up-${n}`, `wrong secret ${n}`, ATTACKER));
    const refused = await Promise.all(flood.slice(-80));
    expect(new Set(refused.map(({ retryAfterMs }) => retryAfterMs))).toEqual(new Set([1_000]));
    expect(hasher.takeCounts().slow).toBeLessThanOrEqual(Math.max(1, availableParallelism() - 1));
    release();
    await Promise.all(flood);
  });

  it('accepts generated secrets, and chosen ones from elsewhere, while a stranger floods it', async () => {
    await register('chosen', CHOSEN);
    const release = hasher.holdSlow();
    const flood = Array.from({ length: 100 }, (_, n) => rejection(`made-up-${n}`, `wrong secret ${n}`, ATTACKER));
    const first = verifier.verify('chosen', CHOSEN, { source: '192.0.2.1' });
    expect(await verifier.verify('pay', secret, { source: ATTACKER })).toMatchObject({ serviceId: 'pay' });
    release();
    hasher.takeCounts();
    expect(await first).toMatchObject({ serviceId: 'chosen' });
    // Two comparisons for each check: the service's own, and at most those that had begun before and one more turn.
    expect(hasher.takeCounts().slow).toBeLessThanOrEqual(2 * (availableParallelism() + 2));
    await Promise.all(flood);
  });

  it('prefers a source of earlier successes for few checks only, so that a stranger at its address delays no one', async () => {
    await register('chosen', CHOSEN);
    await verifier.verify('pay', secret, { source: ATTACKER });
    const release = hasher.holdSlow();
    const flood = Array.from({ length: 16 }, (_, n) => rejection(`made-up-${n}`, `wrong secret ${n}`, ATTACKER));
    const first = verifier.verify('chosen', CHOSEN, { source: '192.0.2.1' });
    release();
    hasher.takeCounts();
    await first;
    expect(hasher.takeCounts().slow).toBeLessThanOrEqual(2 * (availableParallelism() + 5));
    await Promise.all(flood);
  });

  it('accepts a chosen secret that has authenticated before, while its own source is blocked', async () => {
    await register('chosen', CHOSEN);
    await verifier.verify('chosen', CHOSEN, { source: ATTACKER });
    for (let n = 0; n < 50; n++) await rejection(`made-up-${n}`, generateSecret().secret, ATTACKER);
    clock.advance(30_000);
    expect(await verifier.verify('chosen', CHOSEN, { source: ATTACKER })).toMatchObject({ serviceId: 'chosen' });
    expect(await rejection('chosen', 'a wrong chosen secret', ATTACKER)).toMatchObject({ retryAfterMs: 30_000 });
  });

  it('gives a made-up id no more attempts than a registered one', async () => {
    await register('chosen', CHOSEN);
    const attempts = async (serviceId: string, source: string) => {
      for (let n = 0; ; n++) if ((await rejection(serviceId, `wrong secret ${n}`, source)).retryAfterMs) return n;
    };
    expect([await attempts('made-up', '192.0.2.1'), await attempts('chosen', '192.0.2.2')]).toEqual([10, 10]);
    for (let n = 0; n < 40; n++) {
      expect(await rejection(`made-up-${n}`, generateSecret().secret, '192.0.2.1')).toMatchObject({
        retryAfterMs: undefined,
      });
    }
    expect((await rejection('other', 'a wrong secret', '192.0.2.1')).retryAfterMs).toBe(60_000);
  });

  it('compares a chosen secret once for all who present it at once, whether it is right or wrong', async () => {
    await register('chosen', CHOSEN);
    hasher.takeCounts();
    const services = await Promise.all(Array.from({ length: 100 }, () => verifier.verify('chosen', CHOSEN)));
    expect(new Set(services.map(({ serviceId }) => serviceId))).toEqual(new Set(['chosen']));
    const wrong = Array.from({ length: 100 }, () => rejection('chosen', 'a wrong chosen secret', ATTACKER));
    for (const error of await Promise.all(wrong)) expect(error).toMatchObject(rejected);
    expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 4 });
  });

  it('rejects all who wait for the same comparison if the service is revoked in the meantime', async () => {
    await register('chosen', CHOSEN);
    const release = hasher.holdSlow();
    const verifying = verifier.verify('chosen', CHOSEN);
    await new Promise(setImmediate);
    await registry.revoke('chosen', admin);
    await new Promise(setImmediate);
    const late = rejection('chosen', CHOSEN);
    release();
    expect(await verifying).toMatchObject({ serviceId: 'chosen' });
    expect(await late).toMatchObject(rejected);
  });

  it('throttles the wrong secrets of a source after ten failures, and never the right one', async () => {
    for (let n = 0; n < 200; n++) {
      const { retryAfterMs } = await rejection('pay', generateSecret().secret, ATTACKER);
      expect(retryAfterMs).toBe(n < 10 ? undefined : 60_000);
    }
    for (const source of [ATTACKER, '192.0.2.1']) {
      expect(await verifier.verify('pay', secret, { source })).toMatchObject({ serviceId: 'pay' });
      expect(await verifier.verify(undefined, secret, { source })).toMatchObject({ serviceId: 'pay' });
    }
  });

  it('compares no chosen secret for a source that is blocked', async () => {
    await register('chosen', CHOSEN);
    for (let n = 0; n < 10; n++) await rejection('chosen', generateSecret().secret, ATTACKER);
    hasher.takeCounts();
    expect(await rejection('chosen', CHOSEN, `${ATTACKER}:50001`)).toMatchObject({ retryAfterMs: 60_000 });
    expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 0 });
    expect(await verifier.verify('chosen', CHOSEN, { source: '192.0.2.1' })).toMatchObject({ serviceId: 'chosen' });
  });

  it('throttles a caller that invents sources, and no other caller', async () => {
    const guess = async (caller: string, n: number) =>
      verifier
        .verify('pay', generateSecret().secret, { source: `10.0.${n}.1`, caller })
        .catch((error: unknown) => error);
    for (let n = 0; n < 30; n++) expect(await guess('gateway', n)).toMatchObject({ retryAfterMs: undefined });
    expect(await guess('gateway', 30)).toMatchObject({ retryAfterMs: 60_000 });
    expect(await guess('other', 30)).toMatchObject({ retryAfterMs: undefined });
    expect(await verifier.verify('pay', secret, { caller: 'gateway' })).toMatchObject({ serviceId: 'pay' });
  });

  it('throttles neither successes nor failures without a source', async () => {
    for (let n = 0; n < 30; n++) await verifier.verify('pay', secret, { source: '192.0.2.1' });
    for (let n = 0; n < 30; n++) expect((await rejection('pay', generateSecret().secret)).retryAfterMs).toBeUndefined();
    expect((await rejection('pay', generateSecret().secret, '192.0.2.1')).retryAfterMs).toBeUndefined();
  });

  it('records the use of a secret at most once a minute, and authenticates even if that fails', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const uses: string[] = [];
    storage.services.recordUse = async ({ keyId }) => {
      uses.push(keyId);
      throw new Error('the storage is read-only');
    };
    await verifier.verify('pay', secret);
    await new Promise(setImmediate);
    expect(uses).toHaveLength(1);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
    Reflect.deleteProperty(storage.services, 'recordUse');
    const use = async () => {
      clock.advance(30_000);
      await verifier.verify('pay', secret);
      return (await storage.services.find('pay'))!.secrets[0]!.lastUsedAt;
    };
    const first = await use();
    expect([await use(), await use(), await use()]).toEqual([first, first! + 60_000, first! + 60_000]);
  });
});
