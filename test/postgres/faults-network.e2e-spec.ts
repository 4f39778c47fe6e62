import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { openPostgresPair, type PostgresStoragePair } from '../support/postgres/postgres-storage-pair.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const DEADLINE_MS = 1_000;
const STALL_MS = 2_000;

let server: PostgresServer;
let pair: PostgresStoragePair;
let session: SessionRecord;

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

beforeEach(async () => {
  pair = await openPostgresPair(server, { deadlineMs: DEADLINE_MS, heartbeatIntervalMs: 200 });
});

afterEach(async () => {
  pair.proxy.healthy();
  await pair.close();
});

/** Not where a load goes on, whose sessions are its own. */
async function createSession(): Promise<void> {
  session = await created(pair.witness, 'ada');
}

describe('when the event loop stands still for 2 s', () => {
  beforeEach(createSession);

  test('the replies that have arrived meanwhile count, and the feed is not torn down', async () => {
    const calls = () =>
      [READS.get, WRITES.create, WRITES.replace].map((call) => settle(() => call(pair.witness, session)));
    // The connections are open then, and the statements prepared; the second replace is told of a conflict.
    await Promise.all(calls());
    let gaps = 0;
    pair.witness.changes(({ type }) => (gaps += type === 'feed.gap' ? 1 : 0));
    // Straight to the server: a proxy in this process would stand still too.
    server.freeze();
    const under = calls();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    server.resume();
    const endsAt = performance.now() + STALL_MS;
    while (performance.now() < endsAt);
    expect((await Promise.all(under)).map(({ outcome }) => outcome)).toEqual(['read', 'created', 'conflict']);
    await eventually(() => pair.witness.feedLagMs() < 1_000);
    expect(gaps).toBe(0);
  });
});
