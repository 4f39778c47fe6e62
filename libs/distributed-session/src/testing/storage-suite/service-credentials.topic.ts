import assert from 'node:assert/strict';
import type { PutService, ServiceCredentialRecord } from '../../storage/service-credential-storage.js';
import { until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** The stored credentials of services. */
export function describeServiceCredentials(context: StorageContext): void {
  const { it } = context.runner;
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

  context.topic('service credentials', () => {
    it('put() stores a service as registered, found by its id and by its key id', async () => {
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

    it('no other id finds a service', async () => {
      await put();
      for (const id of ['', 'order', 'orders ', '*', '__proto__', 'a'.repeat(1_000)]) {
        assert.equal(await services().find(id), undefined);
        assert.equal(await services().findByKeyId(id), undefined);
      }
    });

    it('put() without replace returns exists and changes nothing', async () => {
      await put();
      const again = {
        serviceId: 'orders',
        serviceName: 'Other',
        permissions: ['*'],
        secret: secret('key2'),
        by: 'admin',
      };
      assert.deepEqual(await services().put({ ...again, replace: false }), { outcome: 'exists' });
      assert.equal((await services().find('orders'))?.serviceName, 'Orders');
      assert.equal(await services().findByKeyId('key2'), undefined);
    });

    it('put() with replace replaces a service and its secrets, but not its creation time', async () => {
      const { createdAt } = await put();
      await context.pass(5);
      const replaced = await put({ permissions: ['session.list'], secret: secret('key2'), replace: true });
      assert.equal(replaced.createdAt, createdAt);
      assert.deepEqual(replaced.permissions, ['session.list']);
      assert.deepEqual(await keyIds(), ['key2']);
      assert.equal(await services().findByKeyId('key1'), undefined);
    });

    it('of 20 concurrent registrations of one id, exactly one succeeds', async () => {
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

    it('addSecret() ends the previous secret after the overlap', async () => {
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

    it('addSecret() rejects a third secret until one of two valid ones has ended', async () => {
      await put();
      await add('key2', context.times.grace);
      assert.deepEqual(await add('key3', context.times.grace), { outcome: 'too-many-secrets' });
      await context.pass(context.times.grace + 1);
      assert.equal((await add('key3', context.times.grace)).outcome, 'stored');
    });

    it('addSecret() at another version returns conflict', async () => {
      const { version } = await put();
      const replaced = await put({ permissions: ['*'], secret: secret('key2'), replace: true });
      assert(replaced.version > version);
      assert.deepEqual(await add('key3', 0, version), { outcome: 'conflict' });
      assert.deepEqual(await keyIds(), ['key2']);
      assert.equal((await add('key3', context.times.retention, replaced.version)).outcome, 'stored');
      assert((await services().find('orders'))!.version > replaced.version);
    });

    it('addSecret() without an overlap ends all earlier secrets immediately', async () => {
      await put();
      await add('key2', context.times.retention);
      assert.equal((await add('key3', 0)).outcome, 'stored');
      assert.deepEqual(await keyIds(), ['key3']);
    });

    it('endSecret() ends one secret, once', async () => {
      await put();
      await add('key2', context.times.retention);
      assert.equal(await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' }), true);
      assert.equal(await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' }), false);
      assert.equal(await services().endSecret({ serviceId: 'unknown', keyId: 'key2', by: 'admin' }), false);
      assert.deepEqual(await keyIds(), ['key2']);
    });

    it('recordUse() records the last use of a secret and ignores an unknown one', async () => {
      await put();
      await services().recordUse({ serviceId: 'orders', keyId: 'key1' });
      const [used] = (await services().find('orders'))!.secrets;
      assert(used!.lastUsedAt! >= used!.createdAt);
      await services().recordUse({ serviceId: 'orders', keyId: 'unknown' });
      await services().recordUse({ serviceId: 'unknown', keyId: 'key1' });
      assert.equal(await services().find('unknown'), undefined);
    });

    it('remove() removes a service and its secrets', async () => {
      await put();
      assert.equal(await services().remove({ serviceId: 'orders', by: 'admin' }), true);
      assert.equal(await services().remove({ serviceId: 'orders', by: 'admin' }), false);
      assert.equal(await services().find('orders'), undefined);
      assert.equal(await services().findByKeyId('key1'), undefined);
      assert.deepEqual(await add('key2', 0), { outcome: 'missing' });
    });

    it('put() rejects an id that differs from a registered one only in case and separators', async () => {
      const stored = await put({ serviceId: 'pay.ment-1' });
      const other = { serviceName: 'Other', permissions: ['*'], secret: secret('key2'), by: 'admin' };
      for (const serviceId of ['Pay.Ment-1', 'payment1', 'pay-ment_1', 'PAYMENT.1', 'pay.ment-1.', 'p.a.y.m.e.n.t.1']) {
        for (const replace of [false, true]) {
          const result = await services().put({ ...other, serviceId, replace });
          assert.deepEqual(result, { outcome: 'look-alike', serviceId: 'pay.ment-1' });
          assert.equal(await services().find(serviceId), undefined);
        }
      }
      assert.deepEqual(await services().list(), [stored]);
      assert.equal(await services().findByKeyId('key2'), undefined);
      for (const [index, serviceId] of ['pay.ment-11', 'pay.ment', 'pay.ment-l', 'payrnent-1'].entries()) {
        assert.equal((await put({ serviceId, secret: secret(`key${index + 3}`) })).serviceId, serviceId);
      }
    });

    it('put() replaces a service whose exact id is registered, and one whose look-alike was removed is free', async () => {
      await put();
      assert.equal((await put({ replace: true, secret: secret('key2') })).version, 2);
      assert.equal(await services().remove({ serviceId: 'orders', by: 'admin' }), true);
      assert.equal((await put({ serviceId: 'Orders' })).serviceId, 'Orders');
    });

    it('of look-alike ids that are registered concurrently, one is stored', async () => {
      const ids = ['orders', 'Orders', 'or.ders', 'ORDERS', 'orders-', 'o_rders'];
      const results = await Promise.all(
        ids.map((serviceId, index) =>
          services().put({
            serviceId,
            serviceName: serviceId,
            permissions: [],
            secret: secret(`key${index}`),
            replace: index % 2 === 0,
            by: 'admin',
          }),
        ),
      );
      const [stored] = await services().list();
      assert.equal((await services().list()).length, 1);
      const alike = { outcome: 'look-alike', serviceId: stored!.serviceId };
      for (const [index, result] of results.entries()) {
        if (ids[index] === stored!.serviceId) assert.equal(result.outcome, 'stored');
        else assert.deepEqual(result, alike);
      }
    });

    it('list() returns the services in the order of their ids', async () => {
      for (const serviceId of ['b', 'a', 'C', 'a.d']) await put({ serviceId, secret: secret(`key-${serviceId}`) });
      assert.deepEqual(
        (await services().list()).map(({ serviceId }) => serviceId),
        ['C', 'a', 'a.d', 'b'],
      );
    });

    it('the storage shares no mutable state with its results', async () => {
      const stored = await put();
      (stored.permissions as string[]).push('*');
      (stored.secrets as unknown[]).pop();
      assert.deepEqual((await services().find('orders'))?.permissions, ['session.read']);
      assert.deepEqual(await keyIds(), ['key1']);
    });

    it('each change of a service is published, but no use', async () => {
      const { changes } = context.listen();
      await put();
      await services().recordUse({ serviceId: 'orders', keyId: 'key1' });
      await add('key2', context.times.retention);
      await services().endSecret({ serviceId: 'orders', keyId: 'key1', by: 'admin' });
      await put({ replace: true, secret: secret('key3') });
      await services().remove({ serviceId: 'orders', by: 'admin' });
      const published = () => changes.flatMap((change) => (change.type === 'service.changed' ? [change] : []));
      await until(() => published().length >= 5, 'five changes');
      assert.deepEqual(
        published().map(({ change, serviceId, by }) => [change, serviceId, by]),
        ['registered', 'secret-added', 'secret-ended', 'replaced', 'revoked'].map((change) => [
          change,
          'orders',
          'admin',
        ]),
      );
    });
  });
}

const secret = (keyId: string) => ({
  keyId,
  hash: { algorithm: 'hmac-sha256', digest: `digest of ${keyId}` } as const,
});
