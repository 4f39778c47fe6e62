import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { openRedisPair } from '../support/redis/redis-storage-pair.js';
import { settle } from '../support/storage/settled-call.js';
import { useStoragePair } from '../support/storage/storage-pair.js';
import { created, textOf, warmUp, WRITES, liveOf } from '../support/storage/storage-calls.js';

let server: RedisServer;
let session: SessionRecord;
let users = 0;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(() => server.resume());

const pair = useStoragePair(() => openRedisPair(server, { deadlineMs: 500 }));

// After the pair, whose hook runs first.
afterAll(() => server.stop());

beforeEach(async () => {
  await warmUp(pair.witness);
  session = await created(pair.witness, `user-${(users += 1)}`);
});

const scriptsRun = async () => Number((await server.commandCounts())['evalsha']);

/** Makes every write at once; resolves once all were given up with an unknown outcome. */
async function giveUpWrites(): Promise<void> {
  const calls = await Promise.all(Object.values(WRITES).map((write) => settle(() => write(pair.storage, session))));
  expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set(['ERR_STORAGE_OUTCOME_UNKNOWN']));
}

/** The user's live and ended sessions, as they were before any write. */
const unchanged = () => ({ live: [[session.sessionId, 1, 'first', session.lastAccessedAt]], ended: [] });

async function storedSessions() {
  const live = await liveOf(pair.witness, session.loginId);
  return {
    live: live.map(({ sessionId, version, payload, lastAccessedAt }) => [
      sessionId,
      version,
      textOf(payload),
      lastAccessedAt,
    ]),
    ended: await pair.witness.listHistory(session.loginId),
  };
}

describe('a write that reaches Redis after its deadline', () => {
  test('changes nothing when the network has held it', async () => {
    pair.proxy.blackHole('up');
    await giveUpWrites();
    const before = await scriptsRun();
    pair.proxy.release();
    await eventually(async () => (await scriptsRun()) >= before + Object.keys(WRITES).length);
    expect(await storedSessions()).toEqual(unchanged());
    await pair.waitUntilConnected();
    expect(await storedSessions()).toEqual(unchanged());
  });

  test('changes nothing when the server was frozen', async () => {
    server.freeze();
    await giveUpWrites();
    server.resume();
    await pair.waitUntilConnected();
    expect(await storedSessions()).toEqual(unchanged());
  });

  test('does not end the sessions that a user has created meanwhile', async () => {
    pair.proxy.blackHole('up');
    expect(await settle(() => WRITES.endAll(pair.storage, session))).toMatchObject({
      outcome: 'ERR_STORAGE_OUTCOME_UNKNOWN',
    });
    expect(await WRITES.endAll(pair.witness, session)).toHaveLength(1);
    const again = await created(pair.witness, session.loginId);
    const before = await scriptsRun();
    pair.proxy.release();
    await eventually(async () => (await scriptsRun()) > before);
    await pair.waitUntilConnected();
    expect(await pair.witness.listByLogin(session.loginId)).toMatchObject([{ sessionId: again.sessionId }]);
  });
});
