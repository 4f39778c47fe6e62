import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import type { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { PostgresStandby } from '@distributed-session/test-servers/postgres/postgres-standby.js';
import { PostgresStorageGroup } from '../support/postgres/postgres-storage-group.js';
import { faultsOfCalls, faultsOfState } from '../support/storage/load-faults.js';
import { loginNames } from '../support/storage/login-names.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';
import { TcpProxy } from '@distributed-session/test-servers/proxy/tcp-proxy.js';

const USERS = [0, 1, 2, 3, 4, 5];

let primary: PostgresServer;
let standby: PostgresStandby;
/** The address that clients connect to. */
let proxy: TcpProxy;
let group: PostgresStorageGroup;

beforeEach(async () => {
  primary = await PostgresServer.start();
  const database = await primary.createDatabase();
  standby = await PostgresStandby.start(primary, { isSynchronous: true });
  proxy = await TcpProxy.start(primary);
  group = await PostgresStorageGroup.open(3, database, proxy);
});

afterEach(async () => {
  await group.close();
  await proxy.stop();
  await Promise.all([primary, standby.server].map((server) => server.stop()));
});

/** Points the address to the standby, and cuts the connections to the primary. */
function turnToStandby(): void {
  proxy.turnTo(standby.server);
  proxy.cut();
}

/** Resolves to the health notes, once the storage reports that it is not writable. */
async function readOnlyNotes(storage: PostgresSessionStorage): Promise<readonly string[]> {
  let notes: readonly string[] = [];
  await eventually(async () => {
    const health = await storage.ping().catch(() => undefined);
    notes = health?.notes ?? [];
    return health?.writable === false;
  });
  return notes;
}

/** The outcomes of all these operations on one session. */
async function outcomesOf(
  calls: Record<string, (storage: PostgresSessionStorage, session: SessionRecord) => Promise<unknown>>,
  session: SessionRecord,
): Promise<Set<string>> {
  const settled = await Promise.all(
    Object.values(calls).map((call) => settle(() => call(group.storages[0]!, session))),
  );
  return new Set(settled.map(({ outcome, message }) => (message?.includes('accepts no writes') ? 'refused' : outcome)));
}

/** Points the address to the standby before it is promoted. */
async function beStandby(): Promise<void> {
  await standby.waitForReplay();
  turnToStandby();
}

async function setReadOnly(value: 'on' | 'off'): Promise<void> {
  await primary.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await primary.query('SELECT pg_reload_conf()');
}

describe('when the primary is killed under load and its synchronous standby is promoted', () => {
  test('no acknowledged write is lost, and all storages continue on the standby', async () => {
    const load = group.startLoad(USERS.map((user) => loginNames(group.storages[0]!, `user-${user}`)));
    await eventually(() => load.haveWritten(USERS, 0));
    await primary.kill();
    await standby.promote();
    turnToStandby();
    const promotedAt = performance.now();
    await eventually(() => load.haveWritten(USERS, promotedAt));
    expect(performance.now() - promotedAt).toBeLessThan(recoveryMs());
    await eventually(() => group.allReceivedGap);
    await load.stop();
    expect(faultsOfCalls(load)).toEqual([]);
    expect(await faultsOfState(load, await group.witness(standby.server))).toEqual([]);
    await group.waitUntilReceived(['after']);
  });
});

describe('while PostgreSQL accepts no writes', () => {
  test.each([
    ['because it is a standby that is promoted later', 'standby', beStandby, () => standby.promote()],
    ['because transactions are read-only', 'read-only', () => setReadOnly('on'), () => setReadOnly('off')],
  ])(
    '%s, reads succeed, writes are not applied, and the storage recovers by itself',
    async (_name, word, begin, end) => {
      const [storage] = group.storages;
      const session = await created(storage!, 'ada');
      await begin();
      expect(await readOnlyNotes(storage!)).toEqual([expect.stringContaining(word)]);
      expect(await outcomesOf(READS, session)).toEqual(new Set(['read']));
      expect(await outcomesOf(WRITES, session)).toEqual(new Set(['refused']));
      expect(await storage!.listByLogin('ada')).toEqual([session]);
      await end();
      const endedAt = performance.now();
      await group.waitUntilWritable();
      expect(performance.now() - endedAt).toBeLessThan(recoveryMs());
      expect(await WRITES.replace(storage!, session)).toMatchObject({ outcome: 'replaced' });
      await group.waitUntilReceived(['after']);
    },
  );
});
