import assert from 'node:assert/strict';
import type { SessionTombstone } from '../../storage/session-record.js';
import type { RotateSession } from '../../storage/session-storage.operations.js';
import { textOf } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Moving a session to a new id. */
export function describeRotation(context: StorageContext): void {
  const { it } = context.runner;
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

  context.topic('rotation', () => {
    it('rotate() gives a session a new id and payload and keeps the rest', async () => {
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

    it('a rotated session leaves a tombstone with its successor, the service, the actor and the end of the grace period', async () => {
      const { sessionId } = await context.create();
      const request = rotation(sessionId, { actor: 'suppört@example.com' });
      await context.storage.rotate(request);
      const tombstone = (await context.storage.get(sessionId)) as SessionTombstone;
      assert.equal(tombstone.reason, 'rotated');
      assert.equal(tombstone.rotatedTo, request.successor.sessionId);
      assert.deepEqual([tombstone.endedBy, tombstone.actor], ['rotator', 'suppört@example.com']);
      assert.equal(tombstone.graceEndsAt, tombstone.endedAt + grace);
      assert.deepEqual(await context.storage.listHistory('alice'), [tombstone]);
    });

    it('the successor keeps its place in the list', async () => {
      const [first, second] = [await context.create(), await context.create()];
      const request = rotation(first.sessionId);
      await context.storage.rotate(request);
      const listed = (await context.storage.listByLogin('alice')).map(({ sessionId }) => sessionId);
      assert.deepEqual(listed, [request.successor.sessionId, second.sessionId]);
    });

    it('rotate() at another version writes nothing', async () => {
      const { sessionId } = await context.create();
      const request = rotation(sessionId, { expectedVersion: 2 });
      const result = await context.storage.rotate(request);
      assert(result.outcome === 'conflict');
      assert.equal(result.session.version, 1);
      assert.equal(await context.storage.get(request.successor.sessionId), undefined);
      assert.equal((await context.storage.get(sessionId))?.state, 'live');
    });

    it('rotate() returns id-taken for an id in use, and missing for an unknown session', async () => {
      const [first, second] = [await context.create(), await context.create()];
      const taken = { sessionId: second.sessionId, payload: Buffer.from('x') };
      const refused = await context.storage.rotate(rotation(first.sessionId, { successor: taken }));
      assert.deepEqual(refused, { outcome: 'id-taken' });
      assert.equal((await context.storage.get(first.sessionId))?.state, 'live');
      const missing = await context.storage.rotate(rotation(context.storage.nextSessionId('alice')));
      assert.deepEqual(missing, { outcome: 'missing' });
    });

    it('of 50 concurrent rotations, one succeeds and the others return its successor', async () => {
      const { sessionId } = await context.create();
      const results = await Promise.all(Array.from({ length: 50 }, () => context.storage.rotate(rotation(sessionId))));
      const won = results.flatMap((result) => (result.outcome === 'rotated' ? [result.session.sessionId] : []));
      const lost = results.flatMap((result) => (result.outcome === 'ended' ? [result.session.rotatedTo] : []));
      assert.equal(won.length, 1);
      assert.deepEqual(new Set(lost), new Set(won));
      assert.equal(lost.length, 49);
      assert.equal((await context.storage.listByLogin('alice')).length, 1);
    });

    it('a concurrent rotation and end leave at most one live session, and never the old one', async () => {
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
