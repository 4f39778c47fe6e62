import assert from 'node:assert/strict';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import { rejectsWith, until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Services: registration, authentication, secret rotation and revocation. */
export function describeServices(context: StorageContext): void {
  const { it } = context.runner;
  const { grace } = context.times;

  context.topic('services', () => {
    it('registerService() generates a secret that authenticates the service', async () => {
      const sessions = await context.manager();
      const { secret, keyId } = await register(sessions);
      assert.match(secret, /^dss_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/);
      assert(secret.startsWith(`dss_${keyId}_`));
      const service = await sessions.verifyService('orders', secret);
      const { serviceId, serviceName, permissions } = service;
      assert.deepEqual(
        { serviceId, serviceName, permissions },
        { serviceId: 'orders', serviceName: 'Orders', permissions: ['session.read'] },
      );
      assert(Object.isFrozen(service) && Object.isFrozen(permissions));
      assert.equal((await sessions.verifyServiceSecret(secret)).serviceId, 'orders');
    });

    it('registerService() accepts a secret that the caller has chosen', async () => {
      const sessions = await context.manager();
      const { secret } = await register(sessions, 'a secret of my own');
      assert.equal(secret, 'a secret of my own');
      assert.equal((await sessions.verifyService('orders', secret)).serviceId, 'orders');
      await rejectsWith(sessions.verifyService('orders', 'a secret of your own'), 'ERR_SERVICE_AUTHENTICATION');
    });

    it('verifyService() rejects an unknown service, a wrong secret and a malformed one with the same error', async () => {
      const sessions = await context.manager();
      const { secret } = await register(sessions);
      const attempts: [string, string][] = [
        ['orders', `${secret.slice(0, -1)}${secret.endsWith('x') ? 'y' : 'x'}`],
        ['orders', 'another secret'],
        ['unknown', secret],
        ['unknown', 'another secret'],
        ['', secret],
        ['orders', ''],
        ['orders', 'x'.repeat(10_000)],
        ['__proto__', secret],
      ];
      const answers = await Promise.all(
        attempts.map(async ([id, attempt]) => {
          const error = await rejectsWith(sessions.verifyService(id, attempt), 'ERR_SERVICE_AUTHENTICATION');
          return JSON.stringify([error.message, Object.entries(error)]);
        }),
      );
      assert.equal(new Set(answers).size, 1);
    });

    it('registerService() rejects an id that is registered, except with replace', async () => {
      const sessions = await context.manager();
      const first = await register(sessions);
      await rejectsWith(register(sessions), 'ERR_SERVICE_EXISTS', { serviceId: 'orders' });
      assert.equal((await sessions.verifyService('orders', first.secret)).serviceId, 'orders');
      const registration = { serviceId: 'orders', serviceName: 'Orders 2', permissions: [] };
      const second = await sessions.registerService(registration, { replace: true });
      assert.equal((await sessions.verifyService('orders', second.secret)).serviceName, 'Orders 2');
      await rejectsWith(sessions.verifyService('orders', first.secret), 'ERR_SERVICE_AUTHENTICATION');
    });

    it('registerService() rejects an id that looks like a registered one, and the own id through as()', async () => {
      const sessions = await context.manager({ serviceId: 'the-shop' });
      await register(sessions);
      const view = sessions.as({ serviceId: 'clerk', permissions: ['*'] });
      for (const serviceId of ['Orders', 'or.ders', 'orders_']) {
        const registration = { serviceId, serviceName: 'Orders', permissions: [] };
        for (const manager of [sessions, view]) {
          const registering = manager.registerService(registration, { replace: true });
          await rejectsWith(registering, 'ERR_SERVICE_CONFLICT', { serviceId });
        }
      }
      for (const serviceId of ['the-shop', 'The.Shop', 'theshop']) {
        const registration = { serviceId, serviceName: 'Shop', permissions: [] };
        for (const replace of [false, true]) {
          await rejectsWith(view.registerService(registration, { replace }), 'ERR_SERVICE_INPUT', {
            field: 'serviceId',
          });
        }
      }
      assert.equal((await sessions.listServices()).length, 1);
      const own = { serviceId: 'the-shop', serviceName: 'Shop', permissions: [] };
      assert.equal((await sessions.registerService(own)).serviceId, 'the-shop');
      await rejectsWith(view.rotateServiceSecret('the-shop'), 'ERR_SERVICE_INPUT', { field: 'serviceId' });
    });

    it('two services cannot share a secret', async () => {
      const sessions = await context.manager();
      await register(sessions, 'one secret for two');
      const other = { serviceId: 'pay', serviceName: 'Pay', permissions: [], secretKey: 'one secret for two' };
      await rejectsWith(sessions.registerService(other), 'ERR_SERVICE_INPUT', { field: 'secretKey' });
    });

    it('two services of different processes cannot share a secret', async () => {
      const [here, there] = [await context.manager(), await context.manager({ serviceId: 'other' })];
      await register(here, 'one secret for two');
      const other = { serviceId: 'pay', serviceName: 'Pay', permissions: [], secretKey: 'one secret for two' };
      await rejectsWith(there.registerService(other), 'ERR_SERVICE_INPUT', { field: 'secretKey' });
    });

    it('a view that as() returns cannot choose a secret, nor learn whether another service has it', async () => {
      const sessions = await context.manager();
      await register(sessions, 'one secret for two');
      const view = sessions.as({ serviceId: 'clerk', permissions: ['*'] });
      const errors = await Promise.all(
        ['one secret for two', 'a secret of its own'].map(async (secretKey) => {
          const pay = { serviceId: 'pay', serviceName: 'Pay', permissions: [], secretKey };
          const error = await rejectsWith(view.registerService(pay), 'ERR_SERVICE_INPUT', { field: 'secretKey' });
          await rejectsWith(view.rotateServiceSecret('orders', { secretKey }), 'ERR_SERVICE_INPUT', {
            field: 'secretKey',
          });
          return error.message;
        }),
      );
      assert.equal(errors[0], errors[1]);
      assert.deepEqual(
        (await sessions.listServices()).map(({ serviceId }) => serviceId),
        ['orders'],
      );
    });

    it('two services that are registered concurrently cannot share a secret', async () => {
      const sessions = await context.manager();
      const secretKey = 'one secret for two';
      const results = await Promise.allSettled(
        ['orders', 'pay'].map((serviceId) =>
          sessions.registerService({ serviceId, serviceName: serviceId, permissions: [], secretKey }),
        ),
      );
      assert.deepEqual(
        results.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
    });

    it('a chosen secret may be registered again for its service, but is not valid as its next one', async () => {
      const sessions = await context.manager();
      await register(sessions, 'a secret of my own');
      const again = { serviceId: 'orders', serviceName: 'Orders', permissions: [], secretKey: 'a secret of my own' };
      await sessions.registerService(again, { replace: true });
      const rotation = sessions.rotateServiceSecret('orders', { secretKey: 'a secret of my own' });
      await rejectsWith(rotation, 'ERR_SERVICE_INPUT', { field: 'secretKey' });
    });

    it('rotateServiceSecret() keeps the old secret valid for the overlap only', async () => {
      const sessions = await context.manager();
      const old = await register(sessions);
      const young = await sessions.rotateServiceSecret('orders', { overlapMs: grace });
      for (const { secret } of [old, young])
        assert.equal((await sessions.verifyService('orders', secret)).serviceId, 'orders');
      await rejectsWith(sessions.rotateServiceSecret('orders'), 'ERR_SERVICE_CONFLICT', { serviceId: 'orders' });
      await context.pass(grace + 1);
      await rejectsWith(sessions.verifyService('orders', old.secret), 'ERR_SERVICE_AUTHENTICATION');
      assert.equal((await sessions.verifyService('orders', young.secret)).serviceId, 'orders');
      assert.deepEqual(
        (await sessions.listServices()).flatMap((service) =>
          service.unreadable ? [] : service.secrets.map(({ keyId }) => keyId),
        ),
        [young.keyId],
      );
    });

    it('rotateServiceSecret() without an overlap ends all earlier secrets immediately', async () => {
      const sessions = await context.manager();
      const old = await register(sessions);
      await sessions.verifyService('orders', old.secret);
      const young = await sessions.rotateServiceSecret('orders', { overlapMs: 0 });
      await until(() => isRejected(sessions, old.secret), 'the rejection of the old secret');
      assert.equal((await sessions.verifyService('orders', young.secret)).serviceId, 'orders');
    });

    it('revokeService() ends cached verifications in every manager', async () => {
      const [here, there] = [await context.manager(), await context.manager({ serviceId: 'other' })];
      const { secret } = await register(here);
      await Promise.all([here.verifyService('orders', secret), there.verifyService('orders', secret)]);
      assert.equal(await here.revokeService('orders'), true);
      assert.equal(await here.revokeService('orders'), false);
      for (const sessions of [here, there])
        await until(() => isRejected(sessions, secret), 'the rejection after the revocation');
      assert.deepEqual(await here.listServices(), []);
    });

    it('listServices() returns no secrets, and endServiceSecret() ends one by its key id', async () => {
      const sessions = await context.manager();
      const { secret, keyId } = await register(sessions);
      const listed = JSON.stringify(await sessions.listServices());
      assert(listed.includes(keyId) && !listed.includes(secret) && !listed.includes('hash'));
      assert.equal(await sessions.endServiceSecret('orders', keyId), true);
      assert.equal(await sessions.endServiceSecret('orders', keyId), false);
      await until(() => isRejected(sessions, secret), 'the rejection of the ended secret');
    });

    it('rotateServiceSecret() rejects an unknown service', async () => {
      const sessions = await context.manager();
      await rejectsWith(sessions.rotateServiceSecret('unknown'), 'ERR_SERVICE_NOT_FOUND', { serviceId: 'unknown' });
    });
  });
}

const register = (sessions: DistributedSessionManager, secretKey?: string) =>
  sessions.registerService({ serviceId: 'orders', serviceName: 'Orders', permissions: ['session.read'], secretKey });

const isRejected = (sessions: DistributedSessionManager, secret: string) =>
  sessions.verifyService('orders', secret).then(
    () => false,
    (error: { code?: string }) => error.code === 'ERR_SERVICE_AUTHENTICATION',
  );
