import assert from 'node:assert/strict';
import { rejectsWith } from '../assertions.js';
import type { StorageTestContext } from '../storage-test-context.js';

/** Opening, closing and health. */
export function describeLifecycle(context: StorageTestContext): void {
  const { it, describe } = context.runner;

  describe('lifecycle', () => {
    it('answers a ping and says that it can be written to', async () => {
      assert.deepEqual(await context.storage.ping(), { writable: true, notes: [] });
    });

    it('tells the time as whole epoch milliseconds, near the times that it stamps', async () => {
      const { createdAt } = await context.create();
      const now = context.storage.now();
      assert(Number.isSafeInteger(now));
      assert(Math.abs(now - createdAt) < 5_000);
    });

    it('stays open until its last owner closes it', async () => {
      await context.storage.connect();
      await context.storage.close();
      assert.deepEqual(await context.storage.listByLogin('alice'), []);
    });

    it('refuses calls when it is closed, and works again when it is connected again', async () => {
      const { sessionId } = await context.create();
      await context.storage.close();
      await rejectsWith(context.storage.get(sessionId), 'ERR_STORAGE_UNAVAILABLE');
      await rejectsWith(context.storage.create(context.creation()), 'ERR_STORAGE_UNAVAILABLE');
      await rejectsWith(context.storage.services.list(), 'ERR_STORAGE_UNAVAILABLE');
      await rejectsWith(context.storage.ping(), 'ERR_STORAGE_UNAVAILABLE');
      await context.storage.connect();
      assert.equal((await context.storage.get(sessionId))?.state, 'live');
    });

    if (context.capabilities.severalInstances) {
      it('shares sessions, clock and services between instances', async () => {
        const other = await context.another();
        const { sessionId } = await context.create();
        assert.equal((await other.get(sessionId))?.state, 'live');
        assert(Math.abs(other.now() - context.storage.now()) < 5_000);
        const ending = { reason: 'logged-out', by: 'other', historyRetentionMs: context.times.retention } as const;
        await other.end({ sessionId, ...ending });
        assert.equal((await context.storage.get(sessionId))?.state, 'ended');
      });
    }
  });
}
