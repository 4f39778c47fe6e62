import { beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { usePostgresGroup } from '../support/postgres/use-postgres-group.js';
import { faultsOfCalls, faultsOfState } from '../support/storage/load-faults.js';
import { loginNames } from '../support/storage/login-names.js';
import { recoveryMs } from '../support/storage/recovery-time.js';
import type { SteadyLoad } from '../support/storage/steady-load.js';

const USERS = [0, 1, 2, 3, 4, 5];
const FREEZE_MS = 2_000;
const END_ALL = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE $1';

const context = usePostgresGroup();
let load: SteadyLoad;

beforeEach(async () => {
  const { group } = context;
  load = group.startLoad(USERS.map((user) => loginNames(group.storages[0]!, `user-${user}`)));
  await expectAllWrite();
});

describe('under load, all storages recover and no guarantee is violated when', () => {
  test('the server is killed during commits and restarted, twice', async () => {
    const { server } = context;
    for (let round = 0; round < 2; round++) {
      await server.kill();
      await server.restart();
      await expectAllWrite();
    }
    expect(await violations()).toEqual([]);
    expect(outcomes()).toContain('ERR_STORAGE_UNAVAILABLE');
  });

  test('the server ends all connections repeatedly', async () => {
    let rounds = 0;
    await eventually(async () => {
      await context.server.query(END_ALL, ['database%']);
      rounds += 1;
      return rounds >= 10 && outcomes().has('ERR_STORAGE_OUTCOME_UNKNOWN');
    });
    await expectAllWrite();
    expect(await violations()).toEqual([]);
  });

  test('the server freezes for 2 s', async () => {
    const { server } = context;
    server.freeze();
    const frozenAt = performance.now();
    await eventually(() => performance.now() - frozenAt > FREEZE_MS);
    server.resume();
    await expectAllWrite();
    expect(outcomes()).toContain('ERR_STORAGE_OUTCOME_UNKNOWN');
    expect(await violations()).toEqual([]);
  });
});

/** Every user gets a write acknowledged within the permitted recovery time. */
async function expectAllWrite(): Promise<void> {
  const startedAt = performance.now();
  await eventually(() => load.haveWritten(USERS, startedAt));
  expect(performance.now() - startedAt).toBeLessThan(recoveryMs());
}

/** The violations in all replies and in the stored state. Resolves once every feed delivers the others' changes again. */
async function violations(): Promise<string[]> {
  const { server, group } = context;
  await eventually(() => group.allReceivedGap);
  await load.stop();
  const found = [...faultsOfCalls(load), ...(await faultsOfState(load, await group.witness(server)))];
  await group.waitUntilReceived(['after']);
  return found;
}

function outcomes(): Set<string> {
  return new Set(load.calls.map(({ outcome }) => outcome));
}
