import { describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import type { History } from '@distributed-session/session-history/history.js';
import { isFinalRead } from '@distributed-session/session-history/final-reader.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { paced } from '../support/storage/paced-storage.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';

const context = useRedisPair();

describe('RedisSessionStorage during SCRIPT FLUSH', () => {
  test('keeps its guarantees, and no call fails', async () => {
    const history = await historyUnder(['SCRIPT', 'FLUSH'], 11);
    expect(history.calls.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(describeViolations(checkHistory(history))).toEqual([]);
  });
});

describe('RedisSessionStorage during FLUSHALL', () => {
  test('fails no call, never returns ended or flushed sessions, and has correct counts afterwards', async () => {
    const history = await historyUnder(['FLUSHALL'], 12);
    expect(history.calls.filter(({ error }) => error !== undefined)).toEqual([]);
    // Acknowledged writes are lost, so only some guarantees hold: ended sessions stay ended, and reads are not mixed up.
    const violations = checkHistory(history).filter(({ invariant }) =>
      ['reads-are-their-own', 'ended-stays-ended', 'nothing-outlives-its-end'].includes(invariant),
    );
    expect(describeViolations(violations)).toEqual([]);
    const lists = history.calls.filter((call) => isFinalRead(call) && call.operation === 'listByLogin');
    const lengths = lists.map(({ result }) => result!.sessions.length);
    expect(await context.pair.storage.count()).toEqual({
      sessions: lengths.reduce((sum, length) => sum + length, 0),
      logins: lengths.filter((length) => length > 0).length,
    });
  });

  test('reports flushed sessions as missing, and writes nothing', async () => {
    const { server, pair } = context;
    const session = await created(pair.storage, 'ada');
    const ended = await created(pair.storage, 'ada');
    await WRITES.end(pair.storage, ended);
    await server.call('FLUSHALL');
    for (const gone of [session, ended]) {
      expect(await pair.storage.get(gone.sessionId)).toBeUndefined();
      for (const write of [WRITES.replace, WRITES.rotate, WRITES.end]) {
        expect(await write(pair.storage, gone)).toEqual({ outcome: 'missing' });
      }
      expect(await pair.storage.touch([gone.sessionId])).toEqual([undefined]);
    }
    expect(await WRITES.endAll(pair.storage, session)).toEqual([]);
    expect(await pair.storage.count()).toEqual({ sessions: 0, logins: 0 });
    expect(await pair.storage.listLogins({ limit: 10 })).toEqual({ logins: [] });
  });

  test('reports a gap on the feed and delivers later changes to old and new listeners', async () => {
    const { server, pair } = context;
    const changes: StorageChange[] = [];
    pair.witness.changes((change) => changes.push(change));
    for (let n = 0; n < 3; n++) await created(pair.storage, 'ada');
    await eventually(() => changes.length === 3);
    await server.call('FLUSHALL');
    const later: StorageChange[] = [];
    pair.storage.changes((change) => later.push(change));
    await created(pair.storage, 'ada');
    const types = ['feed.gap', 'session.created'];
    await eventually(() => changes.length === 5 && later.length === 2);
    expect(changes.slice(3).map(({ type }) => type)).toEqual(types);
    expect(later.map(({ type }) => type)).toEqual(types);
  });
});

/** Runs a flush command again and again until `stop()`, which resolves to the number of runs. */
function flushing(...command: [string, ...string[]]): { stop: () => Promise<number> } {
  const over = new AbortController();
  let times = 0;
  const running = context.server.use(async (redis) => {
    while (!over.signal.aborted) {
      const [name, ...args] = command;
      await redis.call(name, args);
      times++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  const stop = async () => {
    over.abort();
    await running;
    return times;
  };
  return { stop };
}

/** Runs random operations while the server is flushed again and again. */
async function historyUnder(command: readonly [string, ...string[]], seed: number): Promise<History> {
  const flush = flushing(...command);
  let times = 0;
  const whenStable = async () => {
    times = await flush.stop();
  };
  const storage = paced(context.pair.storage);
  const history = await runClients({ count: 2, durationMs: 2_000, seed, storage, whenStable });
  expect(times).toBeGreaterThan(20);
  return history;
}
