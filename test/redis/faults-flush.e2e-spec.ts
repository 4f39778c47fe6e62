import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { checkHistory } from '@distributed-session/session-history/check-history.js';
import { describeViolations } from '@distributed-session/session-history/describe-violations.js';
import { isQuiet } from '@distributed-session/session-history/quiet-client.js';
import { runClients } from '@distributed-session/session-history/run-clients.js';
import { paced } from '../support/storage/paced-storage.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { created, WRITES } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';

let server: RedisServer;
let pair: RedisStoragePair;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  await server.call('FLUSHALL');
  pair = await openRedisPair(server);
});

afterEach(async () => {
  await pair.close();
});

/** Lets somebody flush the server again and again until it is told to stop; resolves to how often. */
function flushing(...command: [string, ...string[]]): { stop: () => Promise<number> } {
  const over = new AbortController();
  let times = 0;
  const going = server.use(async (redis) => {
    while (!over.signal.aborted) {
      const [name, ...args] = command;
      await redis.call(name, args);
      times++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  const stop = async () => {
    over.abort();
    await going;
    return times;
  };
  return { stop };
}

describe('SCRIPT FLUSH under load', () => {
  test('hold, and no call fails', async () => {
    const flush = flushing('SCRIPT', 'FLUSH');
    let times = 0;
    const calm = async () => {
      times = await flush.stop();
    };
    const history = await runClients({ count: 2, durationMs: 2_000, seed: 11, storage: paced(pair.storage), calm });
    expect(times).toBeGreaterThan(20);
    expect(history.calls.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(describeViolations(checkHistory(history))).toEqual([]);
  });
});

describe('FLUSHALL under load', () => {
  test('no call fails, nothing that was ended or flushed comes back, and counts are right afterwards', async () => {
    const flush = flushing('FLUSHALL');
    let times = 0;
    const calm = async () => {
      times = await flush.stop();
    };
    const history = await runClients({ count: 2, durationMs: 2_000, seed: 12, storage: paced(pair.storage), calm });
    expect(times).toBeGreaterThan(20);
    expect(history.calls.filter(({ error }) => error !== undefined)).toEqual([]);
    // What is lost was acknowledged, so not all can hold; but what had ended stays so, and reads are their own.
    const violations = checkHistory(history).filter(({ invariant }) =>
      ['reads-are-their-own', 'ended-stays-ended', 'nothing-outlives-its-end'].includes(invariant),
    );
    expect(describeViolations(violations)).toEqual([]);
    const lists = history.calls.filter((call) => isQuiet(call) && call.operation === 'listByLogin');
    const lengths = lists.map(({ result }) => result!.sessions.length);
    expect(await pair.storage.count()).toEqual({
      sessions: lengths.reduce((sum, length) => sum + length, 0),
      logins: lengths.filter((length) => length > 0).length,
    });
  });

  test('writes to sessions that are gone answer that they are missing, and make none', async () => {
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

  test('the feed says that entries may be missing, goes on, and who subscribes then hears what follows', async () => {
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

  test('a process with another tag key that comes afterwards takes the store, and this one notices', async () => {
    expect((await settle(() => pair.storage.ping())).outcome).toBe('read');
    await server.call('FLUSHALL');
    await server.call('HSET', `{${pair.keyPrefix}}:meta`, 'format', 1, 'fingerprint', 'of-another-key');
    await eventually(async () => (await settle(() => pair.storage.count())).outcome === 'ERR_STORAGE_UNAVAILABLE');
    expect((await settle(() => pair.storage.count())).message).toContain('the same tagKey');
  });
});
