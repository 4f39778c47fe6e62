import { Logger } from '@nestjs/common';
import { expect, jest, test } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { useCluster } from '../support/redis/use-cluster.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, liveOf } from '../support/storage/storage-calls.js';

const [OLD, NEW] = ['the old tag key of the application', 'the new tag key of the application'];
const LOGINS = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
const context = useCluster({ storages: 1, isShared: true });

test('A tag key changes on a cluster, and all sessions of a user are found in both of its slots', async () => {
  jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
  const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  const cluster = { nodes: context.cluster.startupNodes };
  const storages: RedisSessionStorage[] = [];
  const start = async (...tagKey: string[]) => {
    const storage = new RedisSessionStorage({ cluster, keyPrefix: 'tags', heartbeatIntervalMs: 50, tagKey });
    storages.push(storage);
    await storage.connect();
    return storage;
  };
  const old = await start(OLD);
  const early = await Promise.all(LOGINS.map(async (loginId) => created(old, loginId)));
  const both = await start(NEW, OLD);
  await eventually(() => String(warned.mock.calls).includes('has a new tagKey'));
  await old.close();
  const isNew = (loginId: string, index: number) =>
    both.nextSessionId(loginId).slice(0, 13) !== early[index]!.sessionId.slice(0, 13);
  await eventually(() => LOGINS.every(isNew));
  for (const [index, loginId] of LOGINS.entries()) {
    const late = await created(both, loginId);
    const ids = [early[index]!.sessionId, late.sessionId];
    expect((await liveOf(both, loginId)).map(({ sessionId }) => sessionId)).toEqual(ids);
    const limits = { perLogin: 2, onLimit: 'end-oldest' } as const;
    expect(await both.create({ ...creation(both, loginId), limits })).toMatchObject({ outcome: 'created' });
    expect(await both.get(ids[0]!)).toMatchObject({ state: 'ended', reason: 'limit' });
    const ending = { loginId, reason: 'kicked-out', by: 'tests', historyRetentionMs: 3_600_000 } as const;
    expect(await both.endAll(ending)).toHaveLength(2);
    expect(await both.listByLogin(loginId)).toEqual([]);
  }
  const last = await start(NEW);
  expect(await settle(() => start(OLD))).toMatchObject({ outcome: 'ERR_OPTIONS' });
  expect(await last.count()).toMatchObject({ sessions: 0 });
  for (const storage of storages) await storage.close();
  jest.restoreAllMocks();
});
