import assert from 'node:assert/strict';
import type { SessionStorage } from '../../storage/session-storage.js';
import { until } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** What the change feed delivers, to this instance and to others. */
export function describeChangeFeed(context: StorageContext): void {
  const { it } = context.runner;
  const { retention } = context.times;
  const ending = { reason: 'logged-out', by: 'ender', historyRetentionMs: retention } as const;
  const listen = (storage?: SessionStorage) => {
    const { changes, stop } = context.listen(storage);
    const types = () => changes.map(({ type }) => type);
    return { changes, stop, types, count: (n: number) => until(() => changes.length >= n, `${n} changes`) };
  };

  context.topic('change feed', () => {
    it('a listener receives each creation, update and end with its session, user, version, service and time', async () => {
      const feed = listen();
      const created = await context.create({ device: 'web' });
      const { sessionId } = created;
      const change = { sessionId, expectedVersion: 1, payload: Buffer.from('x'), by: 'writer', touch: true };
      await context.storage.replace(change);
      await context.storage.end({ ...ending, sessionId, actor: 'root' });
      await feed.count(3);
      const about = { sessionId, loginId: 'alice', serviceId: 'tester', device: 'web' };
      const [first, second, third] = feed.changes.map(({ at, ...rest }) => {
        assert(Number.isSafeInteger(at) && at >= created.createdAt);
        return rest;
      });
      assert.deepEqual(first, { type: 'session.created', ...about, version: 1, by: 'tester' });
      assert.deepEqual(second, { type: 'session.updated', ...about, version: 2, by: 'writer' });
      const end = { version: 2, by: 'ender', reason: 'logged-out', actor: 'root' };
      assert.deepEqual(third, { type: 'session.ended', ...about, ...end });
    });

    it('a listener receives a rotation as one change, with the service and the actor', async () => {
      const { sessionId } = await context.create();
      const feed = listen();
      const successor = { sessionId: context.storage.nextSessionId('alice'), payload: Buffer.from('y') };
      const rotation = { sessionId, expectedVersion: 1, successor, graceMs: 0, by: 'rotator', actor: 'root' };
      await context.storage.rotate({ ...rotation, historyRetentionMs: retention });
      await context.storage.end({ ...ending, sessionId: successor.sessionId });
      await feed.count(2);
      assert.deepEqual(feed.types(), ['session.rotated', 'session.ended']);
      const [rotated] = feed.changes;
      assert(rotated?.type === 'session.rotated');
      const { rotatedTo, by, actor } = rotated;
      assert.deepEqual([rotated.sessionId, rotatedTo, by, actor], [sessionId, successor.sessionId, 'rotator', 'root']);
    });

    it('a listener receives each end under a limit, by endAll() or by expiry', async () => {
      const feed = listen();
      await context.create();
      await context.create({ limits: { perLogin: 1, onLimit: 'end-oldest' } });
      await context.storage.endAll({ ...ending, loginId: 'alice', reason: 'revoked' });
      const idle = await context.create({ ...context.brief, loginId: 'bob' });
      await context.pass(context.times.idle + 1);
      await context.sweep();
      await feed.count(6);
      const ends = feed.changes.flatMap((change) => (change.type === 'session.ended' ? [change] : []));
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

    it('a listener receives nothing for a call that changed nothing', async () => {
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
      // Changes of different sessions may arrive in any order, but those of one user come from one place in every store.
      const last = await context.create();
      await until(() => feed.changes.some((entry) => 'sessionId' in entry && entry.sessionId === last.sessionId));
      await feed.count(2);
      assert.deepEqual(feed.types().toSorted(), ['session.created', 'session.ended']);
    });

    it('each expiry is published once, however many sweeps run concurrently', async () => {
      const feed = listen();
      for (let n = 0; n < 10; n++) await context.create({ ...context.brief, loginId: `login-${n}` });
      await context.pass(context.times.idle + 1);
      const swept = await Promise.all(Array.from({ length: 5 }, () => context.sweep()));
      assert.equal(
        swept.reduce((sum, n) => sum + n),
        10,
      );
      await context.create({ loginId: 'marker' });
      await feed.count(21);
      assert.equal(feed.types().filter((type) => type === 'session.ended').length, 10);
    });

    it('the changes of one session arrive in order', async () => {
      const feed = listen();
      const { sessionId } = await context.create();
      for (let version = 1; version <= 20; version++) {
        const payload = Buffer.from(`${version}`);
        await context.storage.replace({ sessionId, expectedVersion: version, payload, by: 'tester', touch: false });
      }
      await feed.count(21);
      const versions = feed.changes.flatMap((change) => ('version' in change ? [change.version] : []));
      assert.deepEqual(
        versions,
        Array.from({ length: 21 }, (_, n) => n + 1),
      );
    });

    it('a listener that throws affects neither the write nor other listeners', async () => {
      const stop = context.storage.changes(() => {
        throw new Error('thrown on purpose by a listener of this test');
      });
      const feed = listen();
      const { sessionId } = await context.create();
      await feed.count(1);
      assert.equal((await context.storage.get(sessionId))?.state, 'live');
      stop();
    });

    it('a listener receives nothing after it has unsubscribed', async () => {
      const [left, stays] = [listen(), listen()];
      left.stop();
      await context.create();
      await stays.count(1);
      assert.deepEqual(left.changes, []);
    });

    it('feedLagMs() returns how far the feed is behind', async () => {
      await until(() => context.storage.feedLagMs() < 10_000, 'a feed that is up to date');
      assert(context.storage.feedLagMs() >= 0);
    });

    if (context.capabilities.severalInstances) {
      it('every instance receives the changes of all', async () => {
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
