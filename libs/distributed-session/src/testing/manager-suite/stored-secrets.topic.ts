import assert from 'node:assert/strict';
import { textOf, until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Tokens and secrets never reach the storage, the history or the change feed: only their digests do. */
export function describeStoredSecrets(context: StorageContext): void {
  const { it } = context.runner;

  /** Issues tokens and secrets in every way. Returns them with the changes that were published. */
  const run = async () => {
    const { changes: feed } = context.listen();
    const sessions = await context.manager();
    const issued: string[] = [];
    for (const loginId of ['alice', 'bob']) {
      const created = await sessions.createSession(loginId, undefined, {
        attributes: { role: 'canary of the attributes' },
      });
      const own = await sessions.createSession(loginId, `the-token-chosen-by-${loginId}`);
      const rotated = await sessions.rotateSession(created.sessionId);
      issued.push(created.token, own.token, rotated.token);
      await sessions.setAttribute(rotated.sessionId, 'department', 'sales');
    }
    await sessions.deleteAllSessions('bob');
    const { secret } = await sessions.registerService({ serviceId: 'orders', serviceName: 'Orders', permissions: [] });
    const chosen = await sessions.rotateServiceSecret('orders', { secretKey: 'a secret that the caller chose' });
    issued.push(secret, chosen.secret);
    const published = (type: string) => feed.filter((change) => change.type === type).length;
    await until(() => published('session.rotated') >= 2 && published('service.changed') >= 2, 'the published changes');
    return { issued, feed };
  };

  context.topic('stored secrets', () => {
    it('no record, tombstone, service or change contains a token or a secret', async () => {
      const { issued, feed } = await run();
      const { storage } = context;
      const records = (await context.live()).map((record) => ({
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
      it('the whole store contains no token and no secret', async () => {
        assert(context.fixture.dump, 'the capability dump requires fixture.dump()');
        const { issued } = await run();
        const dump = await context.fixture.dump();
        assert(dump.includes('alice'));
        for (const secret of issued) assert(!dump.includes(secret));
      });
    }
  });
}
