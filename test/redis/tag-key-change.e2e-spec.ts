import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import type { CreateSession, CreateSessionResult, SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { createAclUser, urlOf } from '../support/redis/acl-roles.js';
import { settle } from '../support/storage/settled-call.js';
import { created, creation, liveOf } from '../support/storage/storage-calls.js';

const [OLD, NEW] = ['the old tag key of the application', 'the new tag key of the application'];
const ENDING = { loginId: 'alice', reason: 'kicked-out', by: 'tests', historyRetentionMs: 3_600_000 } as const;

let server: RedisServer;
let logged: jest.SpiedFunction<Logger['log']>;
let warned: jest.SpiedFunction<Logger['warn']>;
let storages: RedisSessionStorage[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
});

beforeEach(async () => {
  await server.call('FLUSHALL');
  logged = jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
  warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
});

afterEach(async () => {
  for (const storage of storages) await storage.close();
  storages = [];
  jest.restoreAllMocks();
});

afterAll(() => server.stop());

/** Starts a process with these keys; without one, with the key prefix. */
async function start(...tagKey: string[]): Promise<RedisSessionStorage> {
  const options = { url: server.url, heartbeatIntervalMs: 50 };
  const storage = new RedisSessionStorage(tagKey.length > 0 ? { ...options, tagKey } : options);
  storages.push(storage);
  await storage.connect();
  return storage;
}

async function stop(storage: RedisSessionStorage): Promise<void> {
  storages = storages.filter((other) => other !== storage);
  await storage.close();
}

const stored = async (field: string) => String(await server.call('HGET', '{ds}:meta', field));
const tagOf = ({ sessionId }: { sessionId: string }) => sessionId.slice(0, 13);
const idsOf = async (storage: RedisSessionStorage, loginId = 'alice') =>
  (await liveOf(storage, loginId)).map(({ sessionId }) => sessionId);
const endAll = async (storage: RedisSessionStorage, loginId = 'alice') =>
  (await storage.endAll({ ...ENDING, loginId })).map(({ sessionId }) => sessionId);

/** Waits until the order of two ends shows in their times. */
async function nextMillisecond(storage: RedisSessionStorage): Promise<void> {
  const now = storage.now();
  await eventually(() => storage.now() > now + 5);
}

/** Waits until the store uses another key than the one with this fingerprint. */
async function changed(fingerprint: string): Promise<void> {
  await eventually(async () => (await stored('fingerprint')) !== fingerprint);
  const switchAt = Number(await stored('switchAt'));
  await eventually(async () => Number(((await server.call('TIME')) as string[])[0]) * 1_000 > switchAt);
}

/** Creates a session as a caller does, who repeats the creation with a new id if the id is taken. */
async function login(storage: RedisSessionStorage, given: Partial<CreateSession> = {}): Promise<CreateSessionResult> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    const result = await storage.create({ ...creation(storage, given.loginId ?? 'alice'), ...given });
    if (result.outcome !== 'id-taken') return result;
  }
  throw new Error('The id was taken three times.');
}

/** A store in which alice has two sessions under the earlier key and one under the current one. */
async function changedStore(): Promise<{ both: RedisSessionStorage; sessions: readonly SessionRecord[] }> {
  const old = await start(OLD);
  const early = [await created(old, 'alice'), await created(old, 'alice')];
  const fingerprint = await stored('fingerprint');
  await stop(old);
  const both = await start(NEW, OLD);
  await changed(fingerprint);
  const result = await login(both);
  if (result.outcome !== 'created') throw new Error(result.outcome);
  return { both, sessions: [...early, result.session] };
}

describe('A change of the tag key', () => {
  test.each([
    ['in one step', [[OLD], [NEW, OLD]]],
    ['in two steps', [[OLD], [OLD, NEW], [NEW, OLD]]],
    ['from no key', [[], [NEW, 'none']]],
    ['to no key', [[OLD], ['none', OLD]]],
  ])(
    '%s stops no process, in a rolling restart of two',
    async (_name, steps) => {
      const [earliest, ...later] = steps as [string[], ...string[][]];
      const processes = [await start(...earliest), await start(...earliest)];
      const fingerprint = await stored('fingerprint');
      const sessionIds: string[] = [];
      const use = async () => {
        for (const storage of processes) {
          const result = await login(storage);
          if (result.outcome !== 'created') throw new Error(result.outcome);
          sessionIds.push(result.session.sessionId);
          for (const reader of processes) expect(await idsOf(reader)).toEqual(sessionIds);
        }
      };
      await use();
      for (const keys of later) {
        for (const index of processes.keys()) {
          const replaced = processes[index]!;
          processes[index] = await start(...keys);
          await stop(replaced);
          await use();
        }
      }
      await changed(fingerprint);
      await use();
      const tags = new Set(sessionIds.map((sessionId) => tagOf({ sessionId })));
      expect(tags.size).toBe(2);
      expect(await endAll(processes[0]!)).toEqual(sessionIds);
      for (const storage of processes) expect(await idsOf(storage)).toEqual([]);
    },
    60_000,
  );

  test('waits for as long as a process runs that does not have the new key, and then happens by itself', async () => {
    const old = await start(OLD);
    const fingerprint = await stored('fingerprint');
    const both = await start(NEW, OLD);
    await eventually(() => String(warned.mock.calls).includes('has a new tagKey that this one does not have'));
    await eventually(() => String(logged.mock.calls).includes('keeps its tagKey until every process has the new one'));
    const now = both.now();
    // Longer than the change waits without an objection.
    await eventually(() => both.now() > now + 2_500);
    expect(await stored('fingerprint')).toBe(fingerprint);
    const ids = [await created(old, 'alice'), await created(both, 'alice')].map(({ sessionId }) => sessionId);
    for (const storage of [old, both]) expect(await idsOf(storage)).toEqual(ids);
    await stop(old);
    await changed(fingerprint);
    expect(await idsOf(both)).toEqual(ids);
    expect(String(logged.mock.calls)).toContain('uses the first tagKey from now on');
  }, 60_000);

  test('asks for a process with the role owner if no process may change the store', async () => {
    const old = await start(OLD, NEW);
    const fingerprint = await stored('fingerprint');
    const user = await createAclUser(server, 'sessions');
    const url = urlOf(server, user);
    const limited = new RedisSessionStorage({ url, heartbeatIntervalMs: 50, tagKey: [NEW, OLD] });
    storages.push(limited);
    await limited.connect();
    await eventually(() => String(warned.mock.calls).includes('Start one process with the role owner'));
    const ids = [await created(limited, 'alice'), await created(old, 'alice')].map(({ sessionId }) => sessionId);
    expect(await idsOf(limited)).toEqual(ids);
    expect(await stored('fingerprint')).toBe(fingerprint);
    await start(NEW, OLD);
    await changed(fingerprint);
    expect(await idsOf(limited)).toEqual(ids);
    expect(await login(limited)).toMatchObject({ outcome: 'created' });
  }, 60_000);

  test('refuses a process that does not have the current key, and one without an earlier key that is in use', async () => {
    const { both, sessions } = await changedStore();
    const lacksCurrent = /different tagKey: set the same tagKey in every service \(to change it, list both/;
    expect(await settle(() => start(OLD))).toMatchObject({
      outcome: 'ERR_OPTIONS',
      message: expect.stringMatching(lacksCurrent),
    });
    const lacksEarlier = /live sessions under an earlier tagKey that this process does not have: keep that one/;
    const refused = await settle(() => start(NEW));
    expect(refused).toMatchObject({ outcome: 'ERR_OPTIONS', message: expect.stringMatching(lacksEarlier) });
    expect(refused.message).not.toMatch(/old tag|new tag/);
    for (const { sessionId } of sessions.slice(0, 2)) await both.end({ ...ENDING, sessionId });
    const last = await start(NEW);
    expect(await idsOf(last)).toEqual([sessions[2]!.sessionId]);
    expect(await stored('earlier')).toBe('');
    await start(NEW);
  }, 60_000);

  test('finds, lists, rotates and ends the sessions from before, and keeps their history', async () => {
    const { both, sessions } = await changedStore();
    const [first, second, third] = sessions as [SessionRecord, SessionRecord, SessionRecord];
    expect([tagOf(first), tagOf(second)]).not.toContain(tagOf(third));
    expect(await idsOf(both)).toEqual(sessions.map(({ sessionId }) => sessionId));
    await created(both, 'bob');
    const page = await both.listLogins({ limit: 10 });
    expect(page.logins.toSorted((a, b) => b.sessions - a.sessions)).toEqual([
      { loginId: 'alice', sessions: 3 },
      { loginId: 'bob', sessions: 1 },
    ]);
    expect(await both.count()).toMatchObject({ sessions: 4 });
    const successorId = both.nextSessionId('alice', first.sessionId);
    const rotated = await both.rotate({
      sessionId: first.sessionId,
      expectedVersion: 1,
      successor: { sessionId: successorId, payload: Buffer.from('next') },
      graceMs: 0,
      by: 'tests',
      historyRetentionMs: 3_600_000,
    });
    expect(rotated).toMatchObject({ outcome: 'rotated' });
    await nextMillisecond(both);
    await both.end({ ...ENDING, sessionId: third.sessionId });
    await nextMillisecond(both);
    expect(await endAll(both)).toEqual([successorId, second.sessionId]);
    const history = (await both.listHistory('alice')).map(({ sessionId }) => sessionId);
    expect(history.slice(2)).toEqual([third.sessionId, first.sessionId]);
    expect(history.slice(0, 2).toSorted()).toEqual([successorId, second.sessionId].toSorted());
  }, 60_000);

  test('counts the sessions from before towards the limits, and ends the oldest of all first', async () => {
    const { both, sessions } = await changedStore();
    const ids = sessions.map(({ sessionId }) => sessionId);
    const reject = { perLogin: 3, onLimit: 'reject' } as const;
    expect(await login(both, { limits: reject })).toEqual({ outcome: 'limit-reached', scope: 'login' });
    const limits = { perLogin: 3, onLimit: 'end-oldest' } as const;
    await login(both, { limits });
    expect((await idsOf(both)).slice(0, 2)).toEqual(ids.slice(1));
    const [ended] = await both.listHistory('alice');
    expect(ended).toMatchObject({ sessionId: ids[0], reason: 'limit', endedBy: 'tests' });
    await login(both, { limits });
    await login(both, { limits });
    expect(await idsOf(both)).toHaveLength(3);
    expect(await idsOf(both)).not.toContain(ids[2]);
  }, 60_000);

  test('admits no more sessions than the limit at any time, while users log in at every process', async () => {
    const old = await start(OLD, NEW);
    const fingerprint = await stored('fingerprint');
    const both = await start(NEW, OLD);
    const limits = { perLogin: 5, onLimit: 'reject' } as const;
    let rounds = 0;
    const round = async () => {
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, n) => login(n % 2 === 0 ? old : both, { limits })),
      );
      const admitted = results.flatMap((result) => (result.outcome === 'created' ? [result.session.sessionId] : []));
      const live = await idsOf(both);
      expect(live.length).toBeLessThanOrEqual(5);
      expect(live.length).toBeGreaterThan(0);
      for (const sessionId of admitted.slice(0, 3)) await old.end({ ...ENDING, sessionId });
      rounds++;
    };
    while ((await stored('fingerprint')) === fingerprint) await round();
    const switchAt = Number(await stored('switchAt'));
    // Longer than a call takes that has read the earlier key.
    expect(switchAt - both.now()).toBeGreaterThan(1_200);
    while (both.now() < switchAt + 500) await round();
    expect(rounds).toBeGreaterThan(20);
    expect(new Set((await idsOf(both)).map((sessionId) => tagOf({ sessionId }))).size).toBeGreaterThanOrEqual(1);
  }, 60_000);

  test('applies no creation under the earlier key that is delayed until the new one is used', async () => {
    const both = await start(NEW, OLD);
    const fingerprint = await stored('fingerprint');
    const switchAt = both.now() + 400;
    const other = new RedisSessionStorage({ url: server.url, tagKey: [OLD, NEW], keyPrefix: 'other' });
    storages.push(other);
    await other.connect();
    const old = String(await server.call('HGET', '{other}:meta', 'fingerprint'));
    await server.call('HSET', '{ds}:meta', 'fingerprint', fingerprint, 'earlier', old, 'switchAt', String(switchAt));
    await server.call('CLIENT', 'PAUSE', '800', 'WRITE');
    const earlierTag = tagOf({ sessionId: other.nextSessionId('alice') });
    const result = await login(both);
    expect(result).toMatchObject({ outcome: 'created' });
    const ids = await idsOf(both);
    expect(ids).toHaveLength(1);
    expect(tagOf({ sessionId: ids[0]! })).not.toBe(earlierTag);
  });

  test('survives the loss of all data meanwhile: the store keeps the key that it used', async () => {
    const old = await start(OLD);
    const fingerprint = await stored('fingerprint');
    await start(NEW, OLD);
    await server.call('FLUSHALL');
    await eventually(async () => (await server.call('EXISTS', '{ds}:meta')) === 1);
    expect(await stored('fingerprint')).toBe(fingerprint);
    expect(await idsOf(old)).toEqual([]);
    expect(logged).not.toHaveBeenCalledWith(expect.stringMatching(/uses the first tagKey/));
  }, 60_000);
});
