import { beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import type { StorageChange, StorageChangeListener } from '../storage/storage-change.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { VerificationCache } from './verification-cache.js';

const SECRET = 'CANARY-secret';
const service = {
  serviceId: 'pay',
  serviceName: 'Pay',
  permissions: [],
  version: 1,
  createdAt: 0,
  secrets: [],
  keyId: 'k',
};

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

  beforeEach(() => {
    clock = new FakeClock();
    storage = new FeedStorage({ clock });
    cache = new VerificationCache(storage, 30_000);
  });

  function keep({ serviceId, endsAt }: { serviceId?: string; endsAt?: number } = { serviceId: 'pay' }): void {
    const verified = endsAt === undefined ? service : { ...service, secretEndsAt: endsAt };
    cache.begin(serviceId, SECRET)(verified);
  }

  it('serves a verification until its maximum age', () => {
    keep();
    clock.advance(29_999);
    expect(cache.find('pay', SECRET)).toBe(service);
    clock.advance(1);
    expect(cache.find('pay', SECRET)).toBeUndefined();
  });

  it('serves nothing when the maximum age is 0', () => {
    cache = new VerificationCache(storage, 0);
    keep();
    expect(cache.find('pay', SECRET)).toBeUndefined();
  });

  it('serves no verification of a secret that has ended', () => {
    keep({ serviceId: 'pay', endsAt: clock.now() + 5_000 });
    clock.advance(4_999);
    expect(cache.find('pay', SECRET)).toMatchObject(service);
    clock.advance(1);
    expect(cache.find('pay', SECRET)).toBeUndefined();
  });

  it('serves a verification only for the same secret and the same id, or again without an id', () => {
    keep();
    for (const [id, secret] of [
      ['other', SECRET],
      ['pay', `${SECRET}x`],
      [undefined, SECRET],
      ['', SECRET],
    ] as const) {
      expect(cache.find(id, secret)).toBeUndefined();
    }
    keep({});
    expect(cache.find(undefined, SECRET)).toBe(service);
  });

  it.each([revoked, gap])('clears itself on the change %p', (change) => {
    keep();
    storage.publish(change);
    expect(cache.find('pay', SECRET)).toBeUndefined();
  });

  it('does not cache a verification during which a service changed', () => {
    const done = cache.begin('pay', SECRET);
    storage.publish(revoked);
    done(service);
    expect(cache.find('pay', SECRET)).toBeUndefined();
  });

  it('serves nothing while the feed lags behind or is disconnected', () => {
    keep();
    for (const [lagMs, served] of [
      [5_000, true],
      [5_001, false],
      [Infinity, false],
      [0, true],
    ] as const) {
      storage.lagMs = lagMs;
      expect(cache.find('pay', SECRET) !== undefined).toBe(served);
    }
  });

  it('keeps its entries when a session changes', () => {
    keep();
    const session = { sessionId: 's', loginId: 'u', serviceId: 'pay', version: 1, by: 'pay', at: 0 };
    storage.publish({ type: 'session.created', ...session });
    expect(cache.find('pay', SECRET)).toBe(service);
  });

  it('removes its entries and unsubscribes when it is closed', () => {
    keep();
    cache.close();
    expect(cache.find('pay', SECRET)).toBeUndefined();
    expect(storage.listeners.size).toBe(0);
  });

  it('does not store the secret', () => {
    keep();
    expect(inspect(cache, { depth: 9, showHidden: true })).not.toContain('CANARY');
  });
});
