import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { WatchedHasher } from '../../../../test/support/watched-hasher.js';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { ServiceAccess } from './service-access.js';
import { ServiceRegistry } from './service-registry.js';
import { generateSecret } from './service-secret.js';
import { ServiceVerifier } from './service-verifier.js';

const CHOSEN = 'correct horse battery staple';
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
    for (const [id, presented] of tries) {
      await rejection(id, presented);
      expect(hasher.takeCounts()).toEqual({ fast: 1, slow: 0 });
    }
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

  it('does not compare a cached secret again until the maximum age of the cache', async () => {
    await verifier.verify('pay', secret);
    hasher.takeCounts();
    await verifier.verify('pay', secret);
    expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 0 });
    clock.advance(30_000);
    await verifier.verify('pay', secret);
    expect(hasher.takeCounts()).toEqual({ fast: 1, slow: 0 });
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
    hasher.takeCounts();
    await verifier.verify('pay', secret);
    expect(hasher.takeCounts()).toEqual({ fast: 1, slow: 0 });
  });

  it('rejects more than 32 slow comparisons at once, so that they cannot exhaust the process', async () => {
    const release = hasher.holdSlow();
    const waiting = Array.from({ length: 32 }, (_, n) => rejection('unknown', `wrong secret number ${n}`));
    await new Promise(setImmediate);
    expect(await rejection('unknown', 'one wrong secret more')).toMatchObject({ retryAfterMs: 1_000 });
    expect(await verifier.verify('pay', secret)).toMatchObject({ serviceId: 'pay' });
    expect(hasher.takeCounts()).toEqual({ fast: 1, slow: 64 });
    release();
    for (const error of await Promise.all(waiting)) expect(error.retryAfterMs).toBeUndefined();
    expect(await rejection('unknown', 'and another one after that')).toMatchObject({ retryAfterMs: undefined });
  });

  it('throttles a source after ten failures, and still accepts the valid secret from another source', async () => {
    hasher.takeCounts();
    for (let n = 0; n < 200; n++) {
      const { retryAfterMs } = await rejection('pay', generateSecret().secret, '192.0.2.66');
      expect(retryAfterMs === undefined).toBe(n < 10);
    }
    expect(hasher.takeCounts()).toEqual({ fast: 10, slow: 0 });
    expect(await rejection('pay', secret, '192.0.2.66')).toMatchObject({ retryAfterMs: 60_000 });
    expect(await verifier.verify('pay', secret, { source: '192.0.2.1' })).toMatchObject({ serviceId: 'pay' });
    clock.advance(60_000);
    expect(await verifier.verify('pay', secret, { source: '192.0.2.66' })).toMatchObject({ serviceId: 'pay' });
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
