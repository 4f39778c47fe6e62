import assert from 'node:assert/strict';
import type { SessionRecord } from '../../storage/session-record.js';
import { until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** A write to a session at version 1. */
const change = (sessionId: string) => ({
  sessionId,
  expectedVersion: 1,
  payload: Buffer.from('x'),
  by: 'tester',
  touch: true,
});

/** The digest of a session's token: on the record, on every tombstone, and nowhere else. */
export function describeTokenDigests(context: StorageContext): void {
  const { it } = context.runner;
  const { retention } = context.times;
  const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: retention } as const;
  const digestOf = async (sessionId: string) => (await context.storage.get(sessionId))?.tokenDigest;
  const successor = (tokenDigest?: string) => ({
    sessionId: context.storage.nextSessionId('alice'),
    ...(tokenDigest !== undefined && { tokenDigest }),
    payload: Buffer.from('y'),
  });
  const rotate = async (sessionId: string, next: ReturnType<typeof successor>) => {
    const rotation = { ...change(sessionId), successor: next, graceMs: 0, historyRetentionMs: retention };
    const result = await context.storage.rotate(rotation);
    assert(result.outcome === 'rotated');
    return result.session;
  };

  context.topic('token digests', () => {
    it('a session has the digest that it was created with, of any printable ASCII characters', async () => {
      const tokenDigest = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n)).join('');
      const created = await context.create({ tokenDigest: tokenDigest.padEnd(640, '=') });
      const [listed] = await context.live();
      const read = await context.storage.get(created.sessionId);
      for (const record of [created, listed, read]) assert.equal(record?.tokenDigest, tokenDigest.padEnd(640, '='));
    });

    it('a session that was created without a digest has none, live and ended', async () => {
      const { sessionId } = await context.create();
      assert.equal(await digestOf(sessionId), undefined);
      await context.storage.end({ ...ending, sessionId });
      assert.equal(await digestOf(sessionId), undefined);
    });

    it('replace() with a digest replaces it, and without one keeps it', async () => {
      const { sessionId } = await context.create({ tokenDigest: 'first' });
      const kept = await context.storage.replace(change(sessionId));
      assert(kept.outcome === 'replaced');
      assert.deepEqual([kept.session.tokenDigest, await digestOf(sessionId)], ['first', 'first']);
      const changed = await context.storage.replace({
        ...change(sessionId),
        expectedVersion: 2,
        tokenDigest: 'second',
      });
      assert(changed.outcome === 'replaced');
      assert.deepEqual([changed.session.tokenDigest, await digestOf(sessionId)], ['second', 'second']);
    });

    it('replace() adds a digest to a session that has none', async () => {
      const { sessionId } = await context.create();
      await context.storage.replace({ ...change(sessionId), tokenDigest: 'added' });
      assert.equal(await digestOf(sessionId), 'added');
    });

    it('a rejected replace() leaves the digest unchanged', async () => {
      const { sessionId } = await context.create({ tokenDigest: 'first' });
      const result = await context.storage.replace({ ...change(sessionId), expectedVersion: 2, tokenDigest: 'other' });
      assert(result.outcome === 'conflict');
      assert.deepEqual([result.session.tokenDigest, await digestOf(sessionId)], ['first', 'first']);
    });

    it('touch() keeps the digest', async () => {
      const { sessionId } = await context.create({ tokenDigest: 'first' });
      await context.storage.touch([sessionId]);
      assert.equal(await digestOf(sessionId), 'first');
    });

    it('rotate() gives the successor its own digest, and the tombstone keeps the old one', async () => {
      const { sessionId } = await context.create({ tokenDigest: 'old' });
      const next = await rotate(sessionId, successor('new'));
      assert.equal(next.tokenDigest, 'new');
      assert.deepEqual([await digestOf(sessionId), await digestOf(next.sessionId)], ['old', 'new']);
      const [tombstone] = await context.storage.listHistory('alice');
      assert.equal(tombstone?.tokenDigest, 'old');
    });

    it('rotate() without a digest gives the successor none', async () => {
      const { sessionId } = await context.create({ tokenDigest: 'old' });
      const next = await rotate(sessionId, successor());
      assert.deepEqual([next.tokenDigest, await digestOf(next.sessionId)], [undefined, undefined]);
    });

    for (const [how, end] of [
      ['end()', async ({ sessionId }: SessionRecord) => context.storage.end({ ...ending, sessionId })],
      ['endAll()', async ({ loginId }: SessionRecord) => context.storage.endAll({ ...ending, loginId })],
      ['the limit per user', async () => context.create({ limits: { perLogin: 1, onLimit: 'end-oldest' } })],
      [
        'the limit per device',
        async () => context.create({ device: 'web', limits: { perLogin: 9, perDevice: 1, onLimit: 'end-oldest' } }),
      ],
    ] as const) {
      it(`the tombstone of a session that ${how} ended has the digest of the session`, async () => {
        const session = await context.create({ device: 'web', tokenDigest: 'kept' });
        await context.storage.replace({ ...change(session.sessionId), tokenDigest: 'kept later' });
        await end(session);
        const tombstone = await context.storage.get(session.sessionId);
        assert(tombstone?.state === 'ended');
        assert.equal(tombstone.tokenDigest, 'kept later');
        assert.equal((await context.storage.listHistory('alice'))[0]?.tokenDigest, 'kept later');
        const again = await context.storage.end({ ...ending, sessionId: session.sessionId });
        assert(again.outcome === 'already-ended');
        assert.equal(again.session.tokenDigest, 'kept later');
      });
    }

    it('the returned tombstones of end() and endAll() have the digest', async () => {
      const [first] = [await context.create({ tokenDigest: 'one' }), await context.create({ tokenDigest: 'two' })];
      const ended = await context.storage.end({ ...ending, sessionId: first.sessionId });
      assert(ended.outcome === 'ended');
      const rest = await context.storage.endAll({ ...ending, loginId: 'alice' });
      assert.deepEqual([ended.session.tokenDigest, ...rest.map((each) => each.tokenDigest)], ['one', 'two']);
    });

    it('a due session reads as a tombstone with its digest, before and after the sweep', async () => {
      const { sessionId } = await context.create({ ...context.brief, tokenDigest: 'kept' });
      await context.pass(context.times.idle + 1);
      assert.equal(await digestOf(sessionId), 'kept');
      await context.sweep();
      assert.equal(await digestOf(sessionId), 'kept');
    });

    it('no change on the feed contains a digest', async () => {
      const { changes } = context.listen();
      const { sessionId } = await context.create({ tokenDigest: 'canary-1' });
      await context.storage.replace({ ...change(sessionId), tokenDigest: 'canary-2' });
      const rotation = { ...change(sessionId), expectedVersion: 2, graceMs: 0, historyRetentionMs: retention };
      const next = successor('canary-3');
      await context.storage.rotate({ ...rotation, successor: next });
      await context.storage.end({ ...ending, sessionId: next.sessionId });
      await until(() => changes.some(({ type }) => type === 'session.ended'), 'the end on the feed');
      assert.equal(changes.length, 4);
      assert(!JSON.stringify(changes).includes('canary'));
    });
  });
}
