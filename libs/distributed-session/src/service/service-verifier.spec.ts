import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { admin, CHOSEN, startVerification, type Verification } from '../../../../test/support/verification.js';
import { generateSecret } from './service-secret.js';

const ATTACKER = '192.0.2.66';
const rejected = { code: 'ERR_SERVICE_AUTHENTICATION', retryAfterMs: undefined };

describe('ServiceVerifier', () => {
  let clock: Verification['clock'];
  let storage: Verification['storage'];
  let hasher: Verification['hasher'];
  let registry: Verification['registry'];
  let verifier: Verification['verifier'];
  let secret: Verification['secret'];
  let register: Verification['register'];
  let rejection: Verification['rejection'];

  beforeEach(async () => {
    ({ clock, storage, hasher, registry, verifier, secret, register, rejection } = await startVerification());
  });

  it('authenticates a service by id and secret, or by a generated secret alone, and returns neither secret nor hash', async () => {
    for (const service of [await verifier.verify('pay', secret), await verifier.verify(undefined, secret)]) {
      expect(service).toMatchObject({ serviceId: 'pay', permissions: [] });
      expect(JSON.stringify(service)).not.toMatch(/dss_|hash|digest/);
    }
    await register('chosen', CHOSEN);
    expect(await verifier.verify('chosen', CHOSEN)).toMatchObject({ serviceId: 'chosen' });
    expect(await rejection(undefined, CHOSEN)).toMatchObject({ retryAfterMs: undefined });
  });

  it('rejects a secret whose hash a later release has stored like a wrong one, with the cause, and accepts the others', async () => {
    const { keyId } = await verifier.verify('pay', secret);
    const record = (await storage.services.find('pay'))!;
    const own = record.secrets.find((stored) => stored.keyId === keyId)!;
    const later = generateSecret();
    const hash = { algorithm: 'unknown' } as const;
    jest.spyOn(storage.services, 'find').mockResolvedValue({
      ...record,
      secrets: [own, { keyId: later.keyId, hash, createdAt: 1 }],
    });
    expect(await rejection('pay', later.secret)).toMatchObject({
      ...rejected,
      cause: expect.objectContaining({ code: 'ERR_STORAGE_NEWER_FORMAT' }),
    });
    expect(await rejection('pay', generateSecret().secret)).not.toHaveProperty('cause');
    expect(await verifier.verify('pay', secret)).toMatchObject({ serviceId: 'pay' });
  });

  it('omits permissions in the notation of a later release, and grants the others', async () => {
    const permissions = ['session.read', 'crm.read@acme', 'session.audit'];
    const record = (await storage.services.find('pay'))!;
    jest.spyOn(storage.services, 'find').mockResolvedValue({ ...record, permissions });
    expect(await verifier.verify('pay', secret)).toMatchObject({ permissions: ['session.read', 'session.audit'] });
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
});
