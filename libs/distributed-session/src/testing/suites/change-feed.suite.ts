import assert from 'node:assert/strict';
import type { StorageChange } from '../../storage/storage-change.js';
import type { SessionStorage } from '../../storage/session-storage.js';
import { type StorageTestContext, until } from '../storage-test-context.js';

/** What the change feed tells, to this instance and to others. */
export function describeChangeFeed(context: StorageTestContext): void {
  const { it, describe } = context.runner;
  const { retention } = context.times;
  const ending = { reason: 'logged-out', by: 'ender', historyRetentionMs: retention } as const;
  const listen = (storage: SessionStorage = context.storage) => {
    const heard: StorageChange[] = [];
    const stop = storage.changes((change) => heard.push(change));
    const types = () => heard.map(({ type }) => type).filter((type) => type !== 'feed.gap');
    return { heard, stop, types, count: (n: number) => until(() => types().length >= n, `${n} changes`) };
  };

  describe('change feed', () => {
    it('tells of a session that is created, updated and ended: which, whose, version, by whom and when', async () => {
      const feed = listen();
      const created = await context.create({ device: 'web' });
      const { sessionId } = created;
      const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'writer', touch: true };
      await context.storage.replace(change);
      await context.storage.end({ ...ending, sessionId, actor: 'root' });
      await feed.count(3);
      const about = { sessionId, loginId: 'alice', serviceId: 'tester', device: 'web' };
      const [first, second, third] = feed.heard.map(({ at, ...rest }) => {
        assert(Number.isSafeInteger(at) && at >= created.createdAt);
        return rest;
      });
      assert.deepEqual(first, { type: 'session.created', ...about, version: 1, by: 'tester' });
      assert.deepEqual(second, { type: 'session.updated', ...about, version: 2, by: 'writer' });
      const end = { version: 2, by: 'ender', reason: 'logged-out', actor: 'root' };
      assert.deepEqual(third, { type: 'session.ended', ...about, ...end });
    });

    it('tells of a rotation in one change', async () => {
      const { sessionId } = await context.create();
      const feed = listen();
      const successor = { sessionId: context.storage.nextSessionId('alice'), payload: Buffer.from('y') };
      const rotation = { sessionId, expectedVersion: 1, successor, graceMs: 0, by: 'rotator' };
      await context.storage.rotate({ ...rotation, historyRetentionMs: retention });
      await context.storage.end({ ...ending, sessionId: successor.sessionId });
      await feed.count(2);
      assert.deepEqual(feed.types(), ['session.rotated', 'session.ended']);
      const [rotated] = feed.heard;
      assert(rotated?.type === 'session.rotated');
      assert.deepEqual([rotated.sessionId, rotated.rotatedTo, rotated.by], [sessionId, successor.sessionId, 'rotator']);
    });

    it('tells of each session that ends under a limit, all at once, or by time', async () => {
      const feed = listen();
      await context.create();
      await context.create({ limits: { perLogin: 1, onLimit: 'end-oldest' } });
      await context.storage.endAll({ ...ending, loginId: 'alice', reason: 'revoked' });
      const idle = await context.create({ ...context.brief, loginId: 'bob' });
      await context.pass(context.times.idle + 1);
      await context.sweep();
      await feed.count(6);
      const ends = feed.heard.flatMap((change) => (change.type === 'session.ended' ? [change] : []));
      assert.deepEqual(
        ends.map(({ reason, by }) => [reason, by]),
        [
          ['limit', 'tester'],
          ['revoked', 'ender'],
          ['idle-timeout', '@expiry'],
        ],
      );
      assert.equal(ends[2]?.at, idle.expiresAt);
    });

    it('tells nothing of what did not happen', async () => {
      const { sessionId } = await context.create();
      const feed = listen();
      const change = { sessionId, expectedVersion: 9, payload: Buffer.from('x'), by: 'tester', touch: true };
      await context.storage.replace(change);
      await context.storage.touch([sessionId]);
      await context.storage.create(context.creation({ limits: { perLogin: 1, onLimit: 'reject' } }));
      await context.storage.end({ ...ending, sessionId: context.storage.nextSessionId('alice') });
      await context.storage.end({ ...ending, sessionId });
      await context.storage.end({ ...ending, sessionId });
      await context.storage.endAll({ ...ending, loginId: 'alice' });
      // Changes of different sessions come in any order. Those of one login come from one place wherever it is stored.
      const last = await context.create();
      await until(() => feed.heard.some((entry) => 'sessionId' in entry && entry.sessionId === last.sessionId));
      await feed.count(2);
      assert.deepEqual(feed.types().toSorted(), ['session.created', 'session.ended']);
    });

    it('announces each expiry once, however many sweep at the same time', async () => {
      const feed = listen();
      for (let n = 0; n < 10; n++) await context.create({ ...context.brief, loginId: `login-${n}` });
      await context.pass(context.times.idle + 1);
      const claimed = await Promise.all(Array.from({ length: 5 }, () => context.sweep()));
      assert.equal(
        claimed.reduce((sum, n) => sum + n),
        10,
      );
      await context.create({ loginId: 'marker' });
      await feed.count(21);
      assert.equal(feed.types().filter((type) => type === 'session.ended').length, 10);
    });

    it('tells the changes of one session in their order', async () => {
      const feed = listen();
      const { sessionId } = await context.create();
      for (let version = 1; version <= 20; version++) {
        const payload = Buffer.from(`${version}`);
        await context.storage.replace({ sessionId, expectedVersion: version, payload, by: 'tester', touch: false });
      }
      await feed.count(21);
      const versions = feed.heard.flatMap((change) => ('version' in change ? [change.version] : []));
      assert.deepEqual(
        versions,
        Array.from({ length: 21 }, (_, n) => n + 1),
      );
    });

    it('a listener that throws disturbs neither the write nor other listeners', async () => {
      const stop = context.storage.changes(() => {
        throw new Error('a listener of this test fails on purpose');
      });
      const feed = listen();
      const { sessionId } = await context.create();
      await feed.count(1);
      assert.equal((await context.storage.get(sessionId))?.state, 'live');
      stop();
    });

    it('a listener that has left hears nothing more', async () => {
      const [left, stays] = [listen(), listen()];
      left.stop();
      await context.create();
      await stays.count(1);
      assert.deepEqual(left.heard, []);
    });

    it('says how far it is behind', async () => {
      await until(() => context.storage.feedLagMs() < 10_000, 'a feed that is up to date');
      assert(context.storage.feedLagMs() >= 0);
    });

    if (context.capabilities.severalInstances) {
      it('tells every instance what any of them changes', async () => {
        const other = await context.another();
        const [here, there] = [listen(), listen(other)];
        const { sessionId } = await context.create({}, other);
        await context.storage.end({ ...ending, sessionId });
        await Promise.all([here.count(2), there.count(2)]);
        assert.deepEqual(here.types(), ['session.created', 'session.ended']);
        assert.deepEqual(there.types(), here.types());
      });
    }
  });
}
