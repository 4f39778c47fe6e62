import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { admin, CHOSEN, startVerification, type Verification } from '../../../../test/support/verification.js';

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
