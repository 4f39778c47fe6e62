import assert from 'node:assert/strict';
import type { SecretHash } from '../../storage/service-credential-storage.js';
import type { StorageContext } from '../storage-context.js';

const FIRST: SecretHash = { algorithm: 'hmac-sha256', digest: 'first', pepper: 'old' };
const SECOND: SecretHash = { algorithm: 'hmac-sha256', digest: 'second', pepper: 'new', also: [FIRST] };

const digestNumber = (n: number): SecretHash => ({ algorithm: 'hmac-sha256', digest: `digest ${n}`, pepper: 'new' });

/** The stored hashes of secrets, which are opaque to a storage, and their renewal. */
export function describeSecretHashes(context: StorageContext): void {
  const { it } = context.runner;
  const services = () => context.storage.services;

  const put = async (hash: SecretHash) => {
    const secret = { keyId: 'key1', hash };
    const service = { serviceId: 'orders', serviceName: 'Orders', permissions: ['session.read'], secret };
    await services().put({ ...service, replace: true, by: 'admin' });
  };
  const stored = async () => (await services().find('orders'))?.secrets[0];
  const renew = async (expected: SecretHash, hash: SecretHash, given: { serviceId?: string; keyId?: string } = {}) =>
    services().renewHash({ serviceId: 'orders', keyId: 'key1', expected, hash, ...given });

  context.topic('secret hashes', () => {
    const earlier: SecretHash = { algorithm: 'hmac-sha256', digest: 'digest' };
    const encoded = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';
    const chosen: SecretHash = { algorithm: 'argon2id', encoded, pepper: 'none' };
    for (const [form, hash] of Object.entries({ 'of an earlier build': earlier, chosen, several: SECOND })) {
      it(`a hash is returned as it was stored: ${form}`, async () => {
        await put(hash);
        assert.deepEqual((await stored())?.hash, hash);
      });
    }

    it('renewHash() replaces the expected hash, and neither the version nor the times', async () => {
      await put(FIRST);
      const before = await services().find('orders');
      assert.equal(await renew(FIRST, SECOND), true);
      const secrets = before!.secrets.map((secret) => ({ ...secret, hash: SECOND }));
      assert.deepEqual(await services().find('orders'), { ...before, secrets });
      assert.deepEqual(await services().findByKeyId('key1'), { ...before, secrets });
    });

    it('renewHash() replaces no other hash: of 10 concurrent renewals, one succeeds', async () => {
      await put(FIRST);
      const renewals = Array.from({ length: 10 }, async (_, n) => renew(FIRST, digestNumber(n)));
      const renewed = (await Promise.all(renewals)).indexOf(true);
      assert.deepEqual((await stored())?.hash, digestNumber(renewed));
      assert.equal((await Promise.all(renewals)).filter(Boolean).length, 1);
      for (const expected of [FIRST, SECOND]) assert.equal(await renew(expected, FIRST), false);
    });

    it('renewHash() does nothing to a secret that does not exist or has ended', async () => {
      await put(FIRST);
      assert.equal(await renew(FIRST, SECOND, { serviceId: 'unknown' }), false);
      assert.equal(await renew(FIRST, SECOND, { keyId: 'key2' }), false);
      await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' });
      assert.equal(await renew(FIRST, SECOND), false);
      assert.deepEqual((await services().find('orders'))?.secrets, []);
    });
  });
}
