import assert from 'node:assert/strict';
import type { SessionTombstone } from '../../storage/session-record.js';
import type { RotateSession } from '../../storage/session-storage.operations.js';
import { textOf } from '../assertions.js';
import type { StorageTestContext } from '../storage-test-context.js';

/** Moving a session to a new id. */
export function describeRotation(context: StorageTestContext): void {
  const { it, describe } = context.runner;
  const { grace, retention } = context.times;
  const rotation = (sessionId: string, given: Partial<RotateSession> = {}): RotateSession => ({
    sessionId,
    expectedVersion: 1,
    successor: { sessionId: context.storage.nextSessionId('alice'), payload: Buffer.from('new') },
    graceMs: grace,
    by: 'rotator',
    historyRetentionMs: retention,
    ...given,
  });

  describe('rotation', () => {
    it('gives the session a new id and payload and keeps the rest', async () => {
      const old = await context.create({ device: 'web' });
      await context.pass(5);
      const request = rotation(old.sessionId);
      const result = await context.storage.rotate(request);
      assert(result.outcome === 'rotated');
      const { payload, lastAccessedAt, expiresAt, ...rest } = result.session;
      assert.deepEqual(rest, {
        state: 'live',
        sessionId: request.successor.sessionId,
        loginId: 'alice',
        serviceId: 'tester',
        device: 'web',
        version: 1,
        createdAt: old.createdAt,
        idleTimeoutMs: old.idleTimeoutMs,
        absoluteExpiresAt: old.absoluteExpiresAt,
      });
      assert.equal(textOf(payload), 'new');
      assert(lastAccessedAt > old.lastAccessedAt);
      assert.equal(expiresAt, lastAccessedAt + old.idleTimeoutMs!);
      const stored = await context.storage.get(request.successor.sessionId);
      assert.equal(stored?.state === 'live' && textOf(stored.payload), 'new');
    });

    it('leaves a tombstone that says where to, and until when that may be followed', async () => {
      const { sessionId } = await context.create();
      const request = rotation(sessionId);
      await context.storage.rotate(request);
      const tombstone = (await context.storage.get(sessionId)) as SessionTombstone;
      assert.equal(tombstone.reason, 'rotated');
      assert.equal(tombstone.rotatedTo, request.successor.sessionId);
      assert.equal(tombstone.endedBy, 'rotator');
      assert.equal(tombstone.graceEndsAt, tombstone.endedAt + grace);
      assert.deepEqual(await context.storage.listHistory('alice'), [tombstone]);
    });

    it('keeps its place in the list', async () => {
      const [first, second] = [await context.create(), await context.create()];
      const request = rotation(first.sessionId);
      await context.storage.rotate(request);
      const listed = (await context.storage.listByLogin('alice')).map(({ sessionId }) => sessionId);
      assert.deepEqual(listed, [request.successor.sessionId, second.sessionId]);
    });

    it('writes nothing at another version', async () => {
      const { sessionId } = await context.create();
      const request = rotation(sessionId, { expectedVersion: 2 });
      const result = await context.storage.rotate(request);
      assert(result.outcome === 'conflict');
      assert.equal(result.session.version, 1);
      assert.equal(await context.storage.get(request.successor.sessionId), undefined);
      assert.equal((await context.storage.get(sessionId))?.state, 'live');
    });

    it('refuses an id that is in use, and an unknown session', async () => {
      const [first, second] = [await context.create(), await context.create()];
      const taken = { sessionId: second.sessionId, payload: Buffer.from('x') };
      const refused = await context.storage.rotate(rotation(first.sessionId, { successor: taken }));
      assert.deepEqual(refused, { outcome: 'id-taken' });
      assert.equal((await context.storage.get(first.sessionId))?.state, 'live');
      const missing = await context.storage.rotate(rotation(context.storage.nextSessionId('alice')));
      assert.deepEqual(missing, { outcome: 'missing' });
    });

    it('lets one of 50 rotations at once win; the others learn who did', async () => {
      const { sessionId } = await context.create();
      const results = await Promise.all(Array.from({ length: 50 }, () => context.storage.rotate(rotation(sessionId))));
      const won = results.flatMap((result) => (result.outcome === 'rotated' ? [result.session.sessionId] : []));
      const lost = results.flatMap((result) => (result.outcome === 'ended' ? [result.session.rotatedTo] : []));
      assert.equal(won.length, 1);
      assert.deepEqual(new Set(lost), new Set(won));
      assert.equal(lost.length, 49);
      assert.equal((await context.storage.listByLogin('alice')).length, 1);
    });

    it('a rotation and an ending at once leave at most one live session, and never the old one', async () => {
      const { sessionId } = await context.create();
      const request = rotation(sessionId);
      const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: retention } as const;
      const [rotated, ended] = await Promise.all([
        context.storage.rotate(request),
        context.storage.end({ sessionId, ...ending }),
      ]);
      assert.equal((await context.storage.get(sessionId))?.state, 'ended');
      const successor = await context.storage.get(request.successor.sessionId);
      assert.equal(successor?.state, rotated.outcome === 'rotated' ? 'live' : undefined);
      assert.equal(ended.outcome, rotated.outcome === 'rotated' ? 'already-ended' : 'ended');
    });
  });
}
