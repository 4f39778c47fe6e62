import assert from 'node:assert/strict';
import type { StorageChange } from '../../storage/storage-change.js';
import { textOf } from '../assertions.js';
import { type StorageTestContext, until } from '../storage-test-context.js';

/** What must never reach the storage, the history or the feed: tokens and secrets, only digests of them. */
export function describeStoredSecrets(context: StorageTestContext): void {
  const { it, describe } = context.runner;

  /** A busy run: every token and secret that was issued, and all that the feed has told. */
  const run = async () => {
    const feed: StorageChange[] = [];
    const stop = context.storage.changes((change) => feed.push(change));
    const sessions = await context.manager();
    const issued: string[] = [];
    for (const loginId of ['alice', 'bob']) {
      const created = await sessions.createSession(loginId, undefined, {
        attributes: { role: 'canary of the attributes' },
      });
      const own = await sessions.createSession(loginId, `token-that-${loginId}-chose`);
      const rotated = await sessions.rotateSession(created.sessionId);
      issued.push(created.token, own.token, rotated.token);
      await sessions.setAttribute(rotated.sessionId, 'department', 'sales');
    }
    await sessions.deleteAllSessions('bob');
    const { secret } = await sessions.registerService({ serviceId: 'orders', serviceName: 'Orders', permissions: [] });
    const chosen = await sessions.rotateServiceSecret('orders', { secretKey: 'a secret that somebody chose' });
    issued.push(secret, chosen.secret);
    const told = (type: string) => feed.filter((change) => change.type === type).length;
    await until(() => told('session.rotated') >= 2 && told('service.changed') >= 2, 'the announcements of the run');
    stop();
    return { issued, feed };
  };

  describe('stored secrets', () => {
    it('no record, tombstone, service or change holds a token or a secret', async () => {
      const { issued, feed } = await run();
      const { storage } = context;
      const records = (await storage.listByLogin('alice')).map((record) => ({
        ...record,
        payload: textOf(record.payload),
      }));
      const histories = [await storage.listHistory('alice'), await storage.listHistory('bob')];
      const all = JSON.stringify([records, histories, await storage.services.list(), feed]);
      assert(records.length === 2 && all.includes('canary of the attributes') && all.includes('session.rotated'));
      for (const secret of issued) assert(!all.includes(secret));
      assert(!JSON.stringify([histories, feed]).includes('canary'));
    });

    if (context.capabilities.dump) {
      it('nothing in the whole store holds a token or a secret', async () => {
        assert(context.fixture.dump, 'the capability dump needs fixture.dump()');
        const { issued } = await run();
        const dump = await context.fixture.dump();
        assert(dump.includes('alice'));
        for (const secret of issued) assert(!dump.includes(secret));
      });
    }
  });
}
