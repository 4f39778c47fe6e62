import { describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { paced } from '../support/storage/paced-storage.js';
import type { RedisSettings } from '@distributed-session/test-servers/redis/redis-settings.js';
import type { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import type { RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { useOwnRedisPair } from '../support/redis/use-redis-pair.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { slackMs } from '../support/storage/slack.js';

const DEADLINE_MS = 1_000;
/** Acknowledged writes are on the disk. */
const DURABLE: RedisSettings = { appendonly: 'yes', appendfsync: 'always' };

/** The outcome of a creation, and the possible numbers of sessions afterwards. */
const POSSIBLE = [
  'read: 1',
  'ERR_STORAGE_UNAVAILABLE: 0',
  'ERR_STORAGE_OUTCOME_UNKNOWN: 0',
  'ERR_STORAGE_OUTCOME_UNKNOWN: 1',
];

const startPair = useOwnRedisPair({ deadlineMs: DEADLINE_MS });
let server: RedisServer;
let pair: RedisStoragePair;

describe('RedisSessionStorage after its server was killed and restarted', () => {
  test('keeps its guarantees under load if the data is still there', async () => {
    await start(DURABLE);
    const recoveries: number[] = [];
    const fault = (async () => {
      for (let round = 0; round < 2; round++) {
        await eventually(async () => (await pair.witness.count()).sessions > round + 1);
        await server.kill();
        await eventually(async () => (await settle(() => pair.witness.count())).outcome === 'ERR_STORAGE_UNAVAILABLE');
        await server.restart();
        recoveries.push(await working());
      }
    })();
    let isOver = false;
    void fault.finally(() => (isOver = true));
    const history = await runClients({
      count: 3,
      durationMs: 3_000,
      seed: 5,
      storage: paced(pair.storage),
      whenStable: async () => eventually(() => isOver),
    });
    await fault;
    expect(describeViolations(checkHistory(history, { clockToleranceMs: 100, feedLagMs: 5_000 }))).toEqual([]);
    expect(Math.max(...recoveries)).toBeLessThan(recoveryMs());
    // Whether a write is in flight when the server dies is random; other tests cover its outcome.
    const outcomes = [...new Set(history.calls.map(({ outcome }) => outcome))];
    expect(outcomes).toEqual(expect.arrayContaining(['ok', 'not-applied']));
    const times = history.calls.map(({ startedAt, endedAt = Infinity }) => (endedAt - startedAt) / 1e6);
    expect(Math.max(...times)).toBeLessThan(DEADLINE_MS + slackMs());
    expect(history.feeds.every(({ hasGap }) => hasGap)).toBe(true);
  });

  test('accepts new sessions within 5 s if the data and the scripts are lost', async () => {
    await start();
    const session = await created(pair.storage, 'ada');
    const changes: StorageChange[] = [];
    pair.storage.changes((change) => changes.push(change));
    await server.kill();
    await eventually(async () => (await settle(() => pair.storage.count())).outcome === 'ERR_STORAGE_UNAVAILABLE');
    await eventually(() => pair.storage.feedLagMs() === Infinity);
    for (const write of Object.values(WRITES)) {
      const { outcome, ms } = await settle(() => write(pair.storage, session));
      expect([outcome, ms < slackMs()]).toEqual(['ERR_STORAGE_UNAVAILABLE', true]);
    }
    await server.restart();
    expect(await working()).toBeLessThan(recoveryMs());
    expect(changes.map(({ type }) => type)).toContain('feed.gap');
    expect(await pair.storage.get(session.sessionId)).toBeUndefined();
    expect(await WRITES.replace(pair.storage, session)).toEqual({ outcome: 'missing' });
    expect(await WRITES.end(pair.storage, session)).toEqual({ outcome: 'missing' });
    expect(await pair.storage.listByLogin('ada')).toEqual([]);
    expect(await pair.storage.count()).toEqual({ sessions: 0, logins: 0 });
    await created(pair.storage, 'ben');
    await eventually(() => changes.some((change) => 'loginId' in change && change.loginId === 'ben'));
  });

  test('reports each call in flight as applied, not applied or unknown within its deadline', async () => {
    await start(DURABLE);
    const logins = Array.from({ length: 200 }, (_, n) => `user-${n}`);
    await WRITES.create(pair.storage, await created(pair.storage, 'warm-up'));
    const calls = logins.map(async (loginId) => settle(() => created(pair.storage, loginId)));
    // Some calls have been answered.
    await Promise.race(calls);
    await server.kill();
    const settled = await Promise.all(calls);
    await server.restart();
    await working();
    for (const [n, { outcome, ms }] of settled.entries()) {
      const { length } = await pair.storage.listByLogin(logins[n]!);
      expect(ms).toBeLessThan(DEADLINE_MS + slackMs());
      expect(POSSIBLE).toContain(`${outcome}: ${length}`);
    }
  });
});

describe('RedisSessionStorage on a server that loads a large file', () => {
  test('fails calls immediately until the server has loaded, and then recovers by itself', async () => {
    await start({
      'enable-debug-command': 'local',
      'key-load-delay': 10_000,
      'loading-process-events-interval-bytes': 1_024,
    });
    const session = await created(pair.storage, 'ada');
    await server.call('DEBUG', 'POPULATE', 200, 'filling', 1_000);
    await server.call('SAVE');
    await server.kill();
    await server.restart({ untilLoaded: false });
    let rejected = 0;
    while ((await loading()) === '1') {
      const { outcome, ms } = await settle(() => pair.storage.get(session.sessionId));
      if (outcome === 'read') break;
      expect([outcome, ms < DEADLINE_MS + slackMs()]).toEqual(['ERR_STORAGE_UNAVAILABLE', true]);
      rejected++;
    }
    expect(rejected).toBeGreaterThan(0);
    await eventually(async () => (await loading()) === '0');
    expect(await working()).toBeLessThan(recoveryMs());
    expect(await pair.storage.get(session.sessionId)).toMatchObject({ state: 'live', version: 1 });
  });
});

async function loading(): Promise<string> {
  return server.info('persistence', 'loading');
}

async function start(settings?: RedisSettings): Promise<void> {
  ({ server, pair } = await startPair(settings));
}

/** Resolves when the storage has recovered by itself, to the time that took. */
async function working(): Promise<number> {
  const startedAt = performance.now();
  await pair.waitUntilConnected();
  await eventually(() => pair.storage.feedLagMs() < 3_000);
  return performance.now() - startedAt;
}
