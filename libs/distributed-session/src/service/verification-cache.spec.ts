import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import type { StorageChange, StorageChangeListener } from '../storage/storage-change.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { VerifiedService } from './service-credential.js';
import { VerificationCache } from './verification-cache.js';

const SECRET = 'CANARY-secret';
const HASH = { algorithm: 'hmac-sha256', digest: 'digest' } as const;

/** A storage whose feed the test controls. */
class FeedStorage extends InMemorySessionStorage {
  readonly listeners = new Set<StorageChangeListener>();
  lagMs = 0;

  override changes(listener: StorageChangeListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  override feedLagMs(): number {
    return this.lagMs;
  }

  publish(change: StorageChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

const revoked: StorageChange = { type: 'service.changed', change: 'revoked', serviceId: 'pay', by: 'x', at: 0 };
const gap: StorageChange = { type: 'feed.gap', at: 0 };

describe('VerificationCache', () => {
  let clock: FakeClock;
  let storage: FeedStorage;
  let cache: VerificationCache;
  let uses: string[];

  beforeEach(async () => {
    clock = new FakeClock();
    storage = new FeedStorage({ clock });
    uses = [];
    cache = new VerificationCache(storage, 30_000, (serviceId, { keyId }) => uses.push(`${serviceId} ${keyId}`));
    await put();
  });

  const put = (keyId = 'k', digest = 'digest') =>
    storage.services.put({
      serviceId: 'pay',
      serviceName: 'Pay',
      permissions: [],
      secret: { keyId, hash: { ...HASH, digest } },
      replace: true,
      by: 'admin',
    });

  /** Caches a verification of the service as it is stored. */
  async function keep(serviceId: string | undefined = 'pay'): Promise<VerifiedService> {
    const accept = cache.begin(cache.keyOf(serviceId, SECRET));
    const record = (await storage.services.find('pay'))!;
    return accept(record, record.secrets[0]!, record.secrets[0]!.hash);
  }

  const find = (serviceId: string | undefined = 'pay', secret = SECRET) =>
    cache.find(cache.keyOf(serviceId, secret), secret);
  const reread = () => cache.reread(cache.keyOf('pay', SECRET));

  it('serves a verification until its maximum age', async () => {
    const service = await keep();
    storage.services.find = () => new Promise(() => {});
    clock.advance(29_999);
    expect(find()).toBe(service);
    clock.advance(1);
    expect(find()).toBeUndefined();
  });

  it('serves nothing when the maximum age is 0', async () => {
    cache = new VerificationCache(storage, 0, () => {});
    await keep();
    expect(find()).toBeUndefined();
  });

  it('serves no verification after the clock was set back', async () => {
    await keep();
    clock.advance(-1);
    expect(find()).toBeUndefined();
  });

  it('serves no verification of a secret that has ended', async () => {
    const accept = cache.begin(cache.keyOf('pay', SECRET));
    const record = (await storage.services.find('pay'))!;
    accept(record, { ...record.secrets[0]!, endsAt: clock.now() + 5_000 }, record.secrets[0]!.hash);
    clock.advance(4_999);
    expect(find()).toMatchObject({ serviceId: 'pay', secretEndsAt: clock.now() + 1 });
    clock.advance(1);
    expect(find()).toBeUndefined();
  });

  it('serves a verification only for the same secret and the same id, or again without an id', async () => {
    const service = await keep();
    for (const [id, secret] of [
      ['other', SECRET],
      ['pay', `${SECRET}x`],
      ['', SECRET],
    ] as const) {
      expect(find(id, secret)).toBeUndefined();
    }
    expect(cache.find(cache.keyOf(undefined, SECRET), SECRET)).toBeUndefined();
    const accept = cache.begin(cache.keyOf(undefined, SECRET));
    const record = (await storage.services.find('pay'))!;
    expect(accept(record, record.secrets[0]!, record.secrets[0]!.hash)).toEqual(service);
    expect(cache.find(cache.keyOf(undefined, SECRET), SECRET)).toEqual(service);
  });

  it.each([revoked, gap])('serves nothing after the change %p, until the service is read again', async (change) => {
    await keep();
    storage.publish(change);
    expect(find()).toBeUndefined();
    const again = await reread();
    expect(again).toMatchObject({ serviceId: 'pay', keyId: 'k' });
    expect(find()).toBe(again);
  });

  it('does not serve a verification during which a service changed', async () => {
    const accept = cache.begin(cache.keyOf('pay', SECRET));
    storage.publish(revoked);
    const record = (await storage.services.find('pay'))!;
    accept(record, record.secrets[0]!, record.secrets[0]!.hash);
    expect(find()).toBeUndefined();
  });

  it('serves nothing while the feed lags behind or is disconnected', async () => {
    await keep();
    for (const [lagMs, served] of [
      [5_000, true],
      [5_001, false],
      [Infinity, false],
      [0, true],
    ] as const) {
      storage.lagMs = lagMs;
      expect(find() !== undefined).toBe(served);
    }
  });

  it('keeps its entries when a session changes', async () => {
    const service = await keep();
    const session = { sessionId: 's', loginId: 'u', serviceId: 'pay', version: 1, by: 'pay', at: 0 };
    storage.publish({ type: 'session.created', ...session });
    expect(find()).toBe(service);
  });

  it('renews an entry that is used, once and in the background, from half of its maximum age on', async () => {
    await keep();
    const read = jest.spyOn(storage.services, 'find');
    clock.advance(14_999);
    find();
    expect(read).not.toHaveBeenCalled();
    for (let use = 0; use < 100; use++) {
      clock.advance(15_000);
      for (let call = 0; call < 3; call++) expect(find()).toBeDefined();
      await new Promise(setImmediate);
    }
    expect(read).toHaveBeenCalledTimes(100);
    expect(uses).toHaveLength(101);
  });

  it('notices a revocation that the feed missed when it renews an entry', async () => {
    await keep();
    await storage.services.remove({ serviceId: 'pay', by: 'admin' });
    clock.advance(15_000);
    expect(find()).toBeDefined();
    await new Promise(setImmediate);
    expect(find()).toBeUndefined();
    expect(await reread()).toBeUndefined();
  });

  it('ends an entry at its maximum age if the storage does not answer, and then reports the error', async () => {
    await keep();
    storage.services.find = () => Promise.reject(new Error('unavailable'));
    clock.advance(29_999);
    expect(find()).toBeDefined();
    await new Promise(setImmediate);
    clock.advance(1);
    expect(find()).toBeUndefined();
    await expect(reread()).rejects.toThrow('unavailable');
  });

  it.each([
    ['another secret', () => put('other')],
    ['the same key id with another hash', () => put('k', 'another digest')],
    ['no registration', () => storage.services.remove({ serviceId: 'pay', by: 'admin' })],
  ])('forgets an entry whose service has %s when it is read again', async (_, change) => {
    await keep();
    await change();
    storage.publish(revoked);
    expect(await reread()).toBeUndefined();
    await put();
    expect(await reread()).toBeUndefined();
  });

  it('returns the permissions and the version as they are read again', async () => {
    await keep();
    await storage.services.put({
      serviceId: 'pay',
      serviceName: 'Pay',
      permissions: ['session.read'],
      secret: { keyId: 'k', hash: HASH },
      replace: true,
      by: 'admin',
    });
    storage.publish(revoked);
    expect(await reread()).toMatchObject({ permissions: ['session.read'], version: 2 });
  });

  it('removes its entries, keeps no more and unsubscribes when it is closed', async () => {
    await keep();
    const accept = cache.begin(cache.keyOf('pay', SECRET));
    cache.close();
    expect(find()).toBeUndefined();
    const record = (await storage.services.find('pay'))!;
    accept(record, record.secrets[0]!, record.secrets[0]!.hash);
    expect(find()).toBeUndefined();
    expect(storage.listeners.size).toBe(0);
  });

  it('does not store the secret', async () => {
    await keep();
    expect(inspect(cache, { depth: 9, showHidden: true })).not.toContain('CANARY');
  });
});
