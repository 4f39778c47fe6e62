import assert from 'node:assert/strict';
import type { PutService, ServiceCredentialRecord } from '../../storage/service-credential-storage.js';
import type { StorageChange } from '../../storage/storage-change.js';
import { type StorageTestContext, until } from '../storage-test-context.js';

/** The credentials of services, as the storage keeps them. */
export function describeServiceCredentials(context: StorageTestContext): void {
  const { it, describe } = context.runner;
  const services = () => context.storage.services;

  const put = async (given: Partial<PutService> = {}): Promise<ServiceCredentialRecord> => {
    const service = {
      serviceId: 'orders',
      serviceName: 'Orders',
      permissions: ['session.read'],
      secret: secret('key1'),
    };
    const result = await services().put({ ...service, replace: false, by: 'admin', ...given });
    assert(result.outcome === 'stored');
    return result.service;
  };
  const keyIds = async () => (await services().find('orders'))?.secrets.map(({ keyId }) => keyId);
  const add = async (keyId: string, overlapMs: number, expectedVersion?: number) => {
    const version = expectedVersion ?? (await services().find('orders'))?.version ?? 1;
    const addition = { serviceId: 'orders', expectedVersion: version, secret: secret(keyId), overlapMs, by: 'admin' };
    return services().addSecret(addition);
  };

  describe('service credentials', () => {
    it('keeps a service as it was registered', async () => {
      const stored = await put();
      assert.deepEqual(stored, {
        serviceId: 'orders',
        serviceName: 'Orders',
        permissions: ['session.read'],
        version: 1,
        createdAt: stored.createdAt,
        secrets: [{ ...secret('key1'), createdAt: stored.createdAt }],
      });
      assert.deepEqual(await services().find('orders'), stored);
      assert.deepEqual(await services().findByKeyId('key1'), stored);
    });

    it('finds nothing under other ids, whatever they look like', async () => {
      await put();
      for (const id of ['', 'order', 'orders ', '*', '__proto__', 'a'.repeat(1_000)]) {
        assert.equal(await services().find(id), undefined);
        assert.equal(await services().findByKeyId(id), undefined);
      }
    });

    it('does not replace a service unless asked to', async () => {
      await put();
      const again = {
        serviceId: 'orders',
        serviceName: 'Thief',
        permissions: ['*'],
        secret: secret('key2'),
        by: 'admin',
      };
      assert.deepEqual(await services().put({ ...again, replace: false }), { outcome: 'exists' });
      assert.equal((await services().find('orders'))?.serviceName, 'Orders');
      assert.equal(await services().findByKeyId('key2'), undefined);
    });

    it('replaces a service with all its secrets, and keeps when it was first registered', async () => {
      const { createdAt } = await put();
      await context.pass(5);
      const replaced = await put({ permissions: ['session.list'], secret: secret('key2'), replace: true });
      assert.equal(replaced.createdAt, createdAt);
      assert.deepEqual(replaced.permissions, ['session.list']);
      assert.deepEqual(await keyIds(), ['key2']);
      assert.equal(await services().findByKeyId('key1'), undefined);
    });

    it('registers an id once when many register it at the same time', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          services().put({
            serviceId: 'orders',
            serviceName: `${n}`,
            permissions: [],
            secret: secret(`key${n}`),
            replace: false,
            by: 'admin',
          }),
        ),
      );
      assert.equal(results.filter(({ outcome }) => outcome === 'stored').length, 1);
    });

    it('adds a secret and ends the one before after the overlap', async () => {
      await put();
      const added = await add('key2', context.times.grace);
      assert(added.outcome === 'stored');
      const [old, young] = added.service.secrets;
      assert.equal(old?.endsAt, young!.createdAt + context.times.grace);
      assert.equal(young?.endsAt, undefined);
      assert.deepEqual(await keyIds(), ['key1', 'key2']);
      await context.pass(context.times.grace + 1);
      assert.deepEqual(await keyIds(), ['key2']);
      assert.equal(await services().findByKeyId('key1'), undefined);
    });

    it('refuses a third secret while two are good, and takes it when one has ended', async () => {
      await put();
      await add('key2', context.times.grace);
      assert.deepEqual(await add('key3', context.times.grace), { outcome: 'too-many-secrets' });
      await context.pass(context.times.grace + 1);
      assert.equal((await add('key3', context.times.grace)).outcome, 'stored');
    });

    it('adds a secret only to the version that the caller has seen', async () => {
      const { version } = await put();
      const replaced = await put({ permissions: ['*'], secret: secret('key2'), replace: true });
      assert(replaced.version > version);
      assert.deepEqual(await add('key3', 0, version), { outcome: 'conflict' });
      assert.deepEqual(await keyIds(), ['key2']);
      assert.equal((await add('key3', context.times.retention, replaced.version)).outcome, 'stored');
      assert((await services().find('orders'))!.version > replaced.version);
    });

    it('ends all earlier secrets at once without an overlap', async () => {
      await put();
      await add('key2', context.times.retention);
      assert.equal((await add('key3', 0)).outcome, 'stored');
      assert.deepEqual(await keyIds(), ['key3']);
    });

    it('ends one secret by its key id', async () => {
      await put();
      await add('key2', context.times.retention);
      assert.equal(await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' }), true);
      assert.equal(await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' }), false);
      assert.equal(await services().endSecret({ serviceId: 'nobody', keyId: 'key2', by: 'admin' }), false);
      assert.deepEqual(await keyIds(), ['key2']);
    });

    it('notes the use of a secret, and ignores one that is gone', async () => {
      await put();
      await services().recordUse({ serviceId: 'orders', keyId: 'key1' });
      const [used] = (await services().find('orders'))!.secrets;
      assert(used!.lastUsedAt! >= used!.createdAt);
      await services().recordUse({ serviceId: 'orders', keyId: 'gone' });
      await services().recordUse({ serviceId: 'gone', keyId: 'key1' });
      assert.equal(await services().find('gone'), undefined);
    });

    it('removes a service and its secrets', async () => {
      await put();
      assert.equal(await services().remove({ serviceId: 'orders', by: 'admin' }), true);
      assert.equal(await services().remove({ serviceId: 'orders', by: 'admin' }), false);
      assert.equal(await services().find('orders'), undefined);
      assert.equal(await services().findByKeyId('key1'), undefined);
      assert.deepEqual(await add('key2', 0), { outcome: 'missing' });
    });

    it('lists services by id', async () => {
      for (const serviceId of ['b', 'a', 'B', 'a.b']) await put({ serviceId, secret: secret(`key-${serviceId}`) });
      assert.deepEqual(
        (await services().list()).map(({ serviceId }) => serviceId),
        ['B', 'a', 'a.b', 'b'],
      );
    });

    it('shares no mutable state with what it returned', async () => {
      const stored = await put();
      (stored.permissions as string[]).push('*');
      (stored.secrets as unknown[]).pop();
      assert.deepEqual((await services().find('orders'))?.permissions, ['session.read']);
      assert.deepEqual(await keyIds(), ['key1']);
    });

    it('announces each change of a service, and no use', async () => {
      const heard: StorageChange[] = [];
      const stop = context.storage.changes((change) => heard.push(change));
      await put();
      await services().recordUse({ serviceId: 'orders', keyId: 'key1' });
      await add('key2', context.times.retention);
      await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' });
      await put({ replace: true, secret: secret('key3') });
      await services().remove({ serviceId: 'orders', by: 'admin' });
      const told = () => heard.flatMap((change) => (change.type === 'service.changed' ? [change] : []));
      await until(() => told().length >= 5, 'five announcements');
      assert.deepEqual(
        told().map(({ change, serviceId, by }) => [change, serviceId, by]),
        ['registered', 'secret-added', 'secret-ended', 'replaced', 'revoked'].map((change) => [
          change,
          'orders',
          'admin',
        ]),
      );
      stop();
    });
  });
}

const secret = (keyId: string) => ({
  keyId,
  hash: { algorithm: 'hmac-sha256', digest: `digest of ${keyId}` } as const,
});
