import { beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { WatchedHasher } from '../../../../test/support/watched-hasher.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { SecretHasher } from './secret-hasher.js';
import { ServiceAccess } from './service-access.js';
import type { ServiceRegistration } from './service-input.js';
import { ServiceRegistry } from './service-registry.js';

const CHOSEN = 'correct horse battery staple';
const DAY = 86_400_000;
const admin = ServiceAccess.unrestricted('admin');
const clerk = admin.narrowedTo({ serviceId: 'clerk', permissions: ['service.manage'] });

describe('ServiceRegistry', () => {
  let clock: FakeClock;
  let storage: InMemorySessionStorage;
  let registry: ServiceRegistry;
  let changes: number;

  beforeEach(() => {
    clock = new FakeClock();
    storage = new InMemorySessionStorage({ clock });
    changes = 0;
    registry = new ServiceRegistry(storage.services, new SecretHasher(), () => changes++);
  });

  function register(given: Partial<ServiceRegistration> = {}, access = admin, replace = false) {
    const registration = { serviceId: 'pay', serviceName: 'Pay', permissions: ['session.read'], ...given };
    return registry.register(registration, replace, access);
  }

  const stored = (serviceId = 'pay') => storage.services.find(serviceId);

  it.each([
    [{ serviceId: '' }, 'serviceId'],
    [{ serviceId: 'no spaces' }, 'serviceId'],
    [{ serviceId: '@expiry' }, 'serviceId'],
    [{ serviceId: 'x'.repeat(129) }, 'serviceId'],
    [{ serviceName: ' ' }, 'serviceName'],
    [{ serviceName: 'x'.repeat(129) }, 'serviceName'],
    [{ permissions: 'session.read' }, 'permissions'],
    [{ permissions: Array(101).fill('session.read') }, 'permissions'],
    [{ permissions: ['session.read', 'session.*.x'] }, 'permissions[1]'],
    [{ permissions: ['session.raed'] }, 'permissions[0]'],
    [{ permissions: ['*', 'Session.read'] }, 'permissions[1]'],
    [{ permissions: ['*', 'service.write'] }, 'permissions[1]'],
    [{ secretKey: 'x'.repeat(11) }, 'secretKey'],
    [{ secretKey: 'x'.repeat(513) }, 'secretKey'],
    [{ secretKey: 'dss_something-long-enough' }, 'secretKey'],
    [{ secretKey: 5 }, 'secretKey'],
    [{ secret: CHOSEN }, 'secret'],
  ])('rejects %p, names the field in the error and stores nothing', async (given, field) => {
    const quoted = expect.not.stringContaining('xxxx');
    await expect(register(given as object)).rejects.toMatchObject({
      code: 'ERR_SERVICE_INPUT',
      field,
      message: quoted,
    });
    expect(await registry.list()).toEqual([]);
  });

  it('registers an id once, and changes it again only with replace', async () => {
    await register();
    const before = await stored();
    await expect(register({ permissions: ['*'] })).rejects.toMatchObject({ code: 'ERR_SERVICE_EXISTS' });
    expect(await stored()).toEqual(before);
    clock.advance(5);
    const { keyId } = await register({ permissions: [] }, admin, true);
    expect(await stored()).toMatchObject({ permissions: [], createdAt: before!.createdAt, secrets: [{ keyId }] });
  });

  it('suggests the permission that a misspelt one resembles', async () => {
    await expect(register({ permissions: ['session.raed'] })).rejects.toThrow('Did you mean "session.read"?');
  });

  it('rejects the chosen secret of another service, on registration and on rotation', async () => {
    await register({ secretKey: CHOSEN });
    await register({ serviceId: 'order' });
    const rejected = { code: 'ERR_SERVICE_INPUT', field: 'secretKey', message: expect.not.stringContaining(CHOSEN) };
    await expect(register({ serviceId: 'third', secretKey: CHOSEN })).rejects.toMatchObject(rejected);
    await expect(registry.rotateSecret('order', { secretKey: CHOSEN }, admin)).rejects.toMatchObject(rejected);
    expect(await stored('third')).toBeUndefined();
    expect((await stored('order'))!.secrets).toHaveLength(1);
    await expect(register({ secretKey: CHOSEN }, admin, true)).resolves.toMatchObject({ secret: CHOSEN });
  });

  it('compares no chosen secret that this process has stored by a slow hash, and those of others once each', async () => {
    const hasher = new WatchedHasher();
    registry = new ServiceRegistry(storage.services, hasher, () => {});
    for (let n = 0; n < 5; n++) await register({ serviceId: `chosen-${n}`, secretKey: `${CHOSEN} ${n}` });
    expect(hasher.takeCounts()).toEqual({ fast: 0, slow: 0 });
    await expect(register({ secretKey: `${CHOSEN} 3` })).rejects.toMatchObject({ field: 'secretKey' });
    const elsewhere = new ServiceRegistry(storage.services, hasher, () => {});
    const registration = { serviceId: 'order', serviceName: 'Orders', permissions: [] };
    for (const secretKey of [`${CHOSEN} 4`, 'another secret']) {
      hasher.takeCounts();
      const settled = await Promise.allSettled([elsewhere.register({ ...registration, secretKey }, false, admin)]);
      expect([settled[0].status, hasher.takeCounts().slow]).toEqual([
        secretKey === 'another secret' ? 'fulfilled' : 'rejected',
        5,
      ]);
    }
  });

  it('stores neither generated nor chosen secrets', async () => {
    const { secret } = await register();
    await register({ serviceId: 'order', secretKey: CHOSEN });
    const dump = JSON.stringify(await storage.services.list());
    for (const part of [secret, secret.slice(15), CHOSEN]) expect(dump).not.toContain(part);
    expect((await stored('order'))!.secrets[0]!.hash).toMatchObject({ algorithm: 'argon2id' });
    expect((await stored())!.secrets[0]!.hash).toMatchObject({ algorithm: 'hmac-sha256' });
  });

  it('exposes an issued secret only as a property, not in logs, spreads or JSON', async () => {
    const issued = await register({ secretKey: CHOSEN });
    expect(issued.secret).toBe(CHOSEN);
    expect(Object.isFrozen(issued)).toBe(true);
    for (const shown of [inspect(issued, { depth: 9 }), JSON.stringify(issued), inspect({ ...issued })]) {
      expect(shown).not.toContain(CHOSEN);
      expect(shown).not.toContain('argon2');
    }
  });

  it('keeps the current secret for the overlap, and rejects a third secret until it ends', async () => {
    const first = await register();
    const second = await registry.rotateSecret('pay', { overlapMs: 1_000 }, admin);
    expect(second.secrets).toMatchObject([
      { keyId: first.keyId, endsAt: clock.now() + 1_000 },
      { keyId: second.keyId },
    ]);
    await expect(registry.rotateSecret('pay', {}, admin)).rejects.toMatchObject({ code: 'ERR_SERVICE_CONFLICT' });
    expect((await stored())!.secrets).toHaveLength(2);
    clock.advance(1_000);
    const third = await registry.rotateSecret('pay', {}, admin);
    expect(third.secrets).toMatchObject([{ keyId: second.keyId, endsAt: clock.now() + DAY }, { keyId: third.keyId }]);
  });

  it('ends all earlier secrets at once with an overlap of 0', async () => {
    await register();
    await registry.rotateSecret('pay', {}, admin);
    const { keyId, secrets } = await registry.rotateSecret('pay', { overlapMs: 0, secretKey: CHOSEN }, admin);
    expect(secrets.map((secret) => secret.keyId)).toEqual([keyId]);
    expect((await stored())!.secrets).toMatchObject([{ keyId, hash: { algorithm: 'argon2id' } }]);
  });

  it.each([NaN, -1, 1.5, Infinity, '0', null, 10 ** 15])('rejects %p as an overlap', async (overlapMs) => {
    await register();
    const rotating = registry.rotateSecret('pay', { overlapMs: overlapMs as number }, admin);
    await expect(rotating).rejects.toMatchObject({ code: 'ERR_SERVICE_INPUT', field: 'overlapMs' });
    expect((await stored())!.secrets).toHaveLength(1);
  });

  it('rejects unknown fields, unknown services and invalid key ids', async () => {
    await register();
    const misspelt = { overlap: 0 } as object;
    await expect(registry.rotateSecret('pay', misspelt, admin)).rejects.toMatchObject({ field: 'overlap' });
    await expect(registry.rotateSecret('none', {}, admin)).rejects.toMatchObject({ code: 'ERR_SERVICE_NOT_FOUND' });
    await expect(registry.endSecret('pay', '', admin)).rejects.toMatchObject({ field: 'keyId' });
    await expect(registry.revoke('no spaces', admin)).rejects.toMatchObject({ field: 'serviceId' });
    expect(await registry.endSecret('pay', 'unknown', admin)).toBe(false);
    expect(await registry.revoke('none', admin)).toBe(false);
  });

  it('notifies its process of each change, but not of a rejected one', async () => {
    const { keyId } = await register();
    await registry.rotateSecret('pay', {}, admin);
    await expect(registry.rotateSecret('pay', {}, admin)).rejects.toThrow('already has two valid secrets');
    await expect(register()).rejects.toThrow('already registered');
    expect(changes).toBe(2);
    await registry.endSecret('pay', keyId, admin);
    await registry.revoke('pay', admin);
    expect(changes).toBe(4);
  });

  it('publishes on whose behalf a service was changed', async () => {
    const published: unknown[] = [];
    storage.changes((change) => published.push(change));
    const { keyId } = await register({ permissions: [] }, clerk);
    await registry.endSecret('pay', keyId, clerk);
    await registry.revoke('pay', admin);
    await new Promise(setImmediate);
    expect(published).toMatchObject([
      { change: 'registered', by: 'clerk', serviceId: 'pay' },
      { change: 'secret-ended', by: 'clerk' },
      { change: 'revoked', by: 'admin' },
    ]);
  });
});
