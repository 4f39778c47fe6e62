import { describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import type { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { usePostgresFailover } from '../support/postgres/use-postgres-group.js';
import { faultsOfCalls, faultsOfState } from '../support/storage/load-faults.js';
import { loginNames } from '../support/storage/login-names.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import { settle } from '../support/storage/settled-call.js';
import { created, READS, WRITES } from '../support/storage/storage-calls.js';

const USERS = [0, 1, 2, 3, 4, 5];

const context = usePostgresFailover();

describe('when the primary is killed under load and its synchronous standby is promoted', () => {
  test('no acknowledged write is lost, and all storages continue on the standby', async () => {
    const { primary, standby, group } = context;
    const load = group.startLoad(USERS.map((user) => loginNames(group.storages[0]!, `user-${user}`)));
    await eventually(() => load.haveWritten(USERS, 0));
    await primary.kill();
    await standby.promote();
    context.turnToStandby();
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
    ['because it is a standby that is promoted later', 'standby', beStandby, () => context.standby.promote()],
    ['because transactions are read-only', 'read-only', () => setReadOnly('on'), () => setReadOnly('off')],
  ])(
    '%s, reads succeed, writes are not applied, and the storage recovers by itself',
    async (_name, word, begin, end) => {
      const { group } = context;
      const [storage] = group.storages;
      const session = await created(storage!, 'ada');
      await begin();
      expect(await readOnlyNotes(storage!)).toEqual([expect.stringContaining(word)]);
      expect(await outcomesOf(READS, session)).toEqual(new Set(['read']));
      expect(await outcomesOf(WRITES, session)).toEqual(new Set(['rejected']));
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
    Object.values(calls).map((call) => settle(() => call(context.group.storages[0]!, session))),
  );
  return new Set(
    settled.map(({ outcome, message }) => (message?.includes('accepts no writes') ? 'rejected' : outcome)),
  );
}

/** Points the address to the standby before it is promoted. */
async function beStandby(): Promise<void> {
  await context.standby.waitForReplay();
  context.turnToStandby();
}

async function setReadOnly(value: 'on' | 'off'): Promise<void> {
  await context.primary.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
  await context.primary.query('SELECT pg_reload_conf()');
}
