import { beforeEach, describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { usePostgresPair } from '../support/postgres/use-postgres-pair.js';

const HEARTBEAT_MS = 100;

const context = usePostgresPair({ heartbeatIntervalMs: HEARTBEAT_MS });
let received: StorageChange[];

beforeEach(() => {
  received = [];
  context.pair.storage.changes((change) => received.push(change));
});

describe('the change feed of PostgresSessionStorage', () => {
  test('delivers, before the next heartbeat, what another process committed and died before publishing', async () => {
    const { server, pair } = context;
    const sessionId = pair.witness.nextSessionId();
    const call = `SELECT outcome FROM distributed_create_session(
      $1, 'left-behind', 'dead', NULL, 60000, NULL, NULL, ''::bytea, 9, NULL, 'reject', 60000, 'dead:1')`;
    const dead = await server.use(async (client) => client.query(call, [sessionId]), pair.database);
    expect(dead.rows).toEqual([{ outcome: 'created' }]);
    const committedAt = pair.storage.now();
    // Once the lag does not reach back to the commit, a heartbeat sent after it has arrived.
    await eventually(() => pair.storage.now() - pair.storage.feedLagMs() > committedAt + HEARTBEAT_MS);
    expect(received).toMatchObject([{ type: 'session.created', sessionId, by: 'dead' }]);
  });
});
