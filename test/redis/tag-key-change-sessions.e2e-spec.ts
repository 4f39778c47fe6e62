import { describe, expect, test } from '@jest/globals';
import type { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { ENDING, endAll, idsOf, login, tagOf } from '../support/redis/tagged-sessions.js';
import { NEW, OLD, useTagKeys } from '../support/redis/use-tag-keys.js';
import { created } from '../support/storage/storage-calls.js';

const store = useTagKeys();
const { start, connect, stored, changedStore } = store;

/** Waits until the order of two ends shows in their times. */
async function nextMillisecond(storage: RedisSessionStorage): Promise<void> {
  const now = storage.now();
  await eventually(() => storage.now() > now + 5);
}

describe('A store whose tag key changes', () => {
  test('finds, lists, rotates and ends the sessions from before, and keeps their history', async () => {
    const { both, sessions } = await changedStore();
    const [first, second, third] = sessions as [SessionRecord, SessionRecord, SessionRecord];
    expect([tagOf(first), tagOf(second)]).not.toContain(tagOf(third));
    expect(await idsOf(both)).toEqual(sessions.map(({ sessionId }) => sessionId));
    await created(both, 'bob');
    const page = await both.listLogins({ limit: 10 });
    expect(page.logins.toSorted((a, b) => b.sessions - a.sessions)).toEqual([
      { loginId: 'alice', sessions: 3 },
      { loginId: 'bob', sessions: 1 },
    ]);
    expect(await both.count()).toMatchObject({ sessions: 4 });
    const successorId = both.nextSessionId('alice', first.sessionId);
    const rotated = await both.rotate({
      sessionId: first.sessionId,
      expectedVersion: 1,
      successor: { sessionId: successorId, payload: Buffer.from('next') },
      graceMs: 0,
      by: 'tests',
      historyRetentionMs: 3_600_000,
    });
    expect(rotated).toMatchObject({ outcome: 'rotated' });
    await nextMillisecond(both);
    await both.end({ ...ENDING, sessionId: third.sessionId });
    await nextMillisecond(both);
    expect(await endAll(both)).toEqual([successorId, second.sessionId]);
    const history = (await both.listHistory('alice')).map(({ sessionId }) => sessionId);
    expect(history.slice(2)).toEqual([third.sessionId, first.sessionId]);
    expect(history.slice(0, 2).toSorted()).toEqual([successorId, second.sessionId].toSorted());
  }, 60_000);

  test('counts the sessions from before towards the limits, and ends the oldest of all first', async () => {
    const { both, sessions } = await changedStore();
    const ids = sessions.map(({ sessionId }) => sessionId);
    const reject = { perLogin: 3, onLimit: 'reject' } as const;
    expect(await login(both, { limits: reject })).toEqual({ outcome: 'limit-reached', scope: 'login' });
    const limits = { perLogin: 3, onLimit: 'end-oldest' } as const;
    await login(both, { limits });
    expect((await idsOf(both)).slice(0, 2)).toEqual(ids.slice(1));
    const [ended] = await both.listHistory('alice');
    expect(ended).toMatchObject({ sessionId: ids[0], reason: 'limit', endedBy: 'tests' });
    await login(both, { limits });
    await login(both, { limits });
    expect(await idsOf(both)).toHaveLength(3);
    expect(await idsOf(both)).not.toContain(ids[2]);
  }, 60_000);

  test('admits no more sessions than the limit at any time, while users log in at every process', async () => {
    const old = await start(OLD, NEW);
    const fingerprint = await stored('fingerprint');
    const both = await start(NEW, OLD);
    const limits = { perLogin: 5, onLimit: 'reject' } as const;
    let rounds = 0;
    const round = async () => {
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, n) => login(n % 2 === 0 ? old : both, { limits })),
      );
      const admitted = results.flatMap((result) => (result.outcome === 'created' ? [result.session.sessionId] : []));
      const live = await idsOf(both);
      expect(live.length).toBeLessThanOrEqual(5);
      expect(live.length).toBeGreaterThan(0);
      for (const sessionId of admitted.slice(0, 3)) await old.end({ ...ENDING, sessionId });
      rounds++;
    };
    while ((await stored('fingerprint')) === fingerprint) await round();
    const switchAt = Number(await stored('switchAt'));
    // Longer than a call takes that has read the earlier key.
    expect(switchAt - both.now()).toBeGreaterThan(1_200);
    while (both.now() < switchAt + 500) await round();
    expect(rounds).toBeGreaterThan(20);
    expect(new Set((await idsOf(both)).map((sessionId) => tagOf({ sessionId }))).size).toBeGreaterThanOrEqual(1);
  }, 60_000);

  test('applies no creation under the earlier key that is delayed until the new one is used', async () => {
    const both = await start(NEW, OLD);
    const fingerprint = await stored('fingerprint');
    const switchAt = both.now() + 400;
    const other = await connect({ url: store.server.url, tagKey: [OLD, NEW], keyPrefix: 'other' });
    const old = String(await store.server.call('HGET', '{other}:meta', 'fingerprint'));
    await store.server.call(
      'HSET',
      '{ds}:meta',
      'fingerprint',
      fingerprint,
      'earlier',
      old,
      'switchAt',
      String(switchAt),
    );
    await store.server.call('CLIENT', 'PAUSE', '800', 'WRITE');
    const earlierTag = tagOf({ sessionId: other.nextSessionId('alice') });
    const result = await login(both);
    expect(result).toMatchObject({ outcome: 'created' });
    const ids = await idsOf(both);
    expect(ids).toHaveLength(1);
    expect(tagOf({ sessionId: ids[0]! })).not.toBe(earlierTag);
  });
});
