import assert from 'node:assert/strict';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Opening, closing and health. Its cases close the storage, so each has its own. */
export function describeLifecycle(context: StorageContext): void {
  const { it } = context.runner;

  context.isolatedTopic('lifecycle', () => {
    it('ping() reports a storage that is writable', async () => {
      assert.deepEqual(await context.storage.ping(), { writable: true, notes: [] });
    });

    it('now() returns whole epoch milliseconds, close to the times of the records', async () => {
      const before = context.storage.now();
      const { createdAt } = await context.create();
      const after = context.storage.now();
      assert(Number.isSafeInteger(before));
      // Bounds the error of the clock, however long the call takes.
      assert(before - 5_000 < createdAt && createdAt < after + 5_000);
    });

    it('a storage stays open until its last owner closes it', async () => {
      await context.storage.connect();
      await context.storage.close();
      assert.deepEqual(await context.storage.listByLogin('alice'), []);
    });

    it('a closed storage rejects every call, and works again after connect()', async () => {
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
      it('instances share sessions and clock', async () => {
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
