import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { settle } from '../support/storage/settled-call.js';
import { bytes, creation, created, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';
import { StoredRecord, keysOf } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';

const PAYLOAD = 'payload';
/** How many damaged users are tested at a time. */
const AT_A_TIME = 10;
const SWEEP = { limit: 100, historyRetentionMs: RETENTION_MS };
/** The possible outcomes: damage that is still a valid record cannot be detected. */
const DOCUMENTED =
  /^(read|created|replaced|conflict|ended|already-ended|missing|removed|rotated|id-taken|ERR_STORAGE_CORRUPT|ERR_STORAGE_NEWER_FORMAT)$/u;

const context = useRedisPair();
let logins = 0;

interface DamagedLogin {
  readonly loginId: string;
  readonly intact: readonly SessionRecord[];
  readonly damaged: SessionRecord;
  readonly record: StoredRecord;
}

describe('RedisSessionStorage with a damaged session record', () => {
  const unreadable: [string, (value: Buffer) => Buffer][] = [
    ['empty', () => Buffer.alloc(0)],
    ['random bytes', () => Buffer.concat([Buffer.from([0]), randomBytes(200)])],
    ['without a valid time', (value) => (value.writeDoubleLE(NaN, 26), value)],
    ['with an infinite expiry', (value) => (value.writeDoubleLE(Infinity, 26), value)],
    ['with an expiry that is not a valid time', (value) => (value.writeDoubleLE(1e300, 26), value)],
    ['with an infinite retention', (value) => (value.writeDoubleLE(1e300, 50), value)],
    [
      'with an identity length that is too large',
      (value) => (value.writeUInt16LE(value.readUInt16LE(58) + 1, 58), value),
    ],
    ['with an identity length beyond its end', (value) => (value.writeUInt16LE(0xffff, 58), value)],
    ['with an identity length that is too small', (value) => (value.writeUInt16LE(17, 58), value)],
  ];

  test.each(unreadable)('reports where a record is that is %s, and serves other sessions', async (_name, damage) => {
    const { server, pair } = context;
    const login = await damagedLogin(damage);
    const message = expect.stringContaining(`HDEL ${login.record.key} ${login.damaged.sessionId}`);
    for (const call of [
      () => pair.storage.get(login.damaged.sessionId),
      () => WRITES.replace(pair.storage, login.damaged),
    ]) {
      expect(await settle(call)).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT', message });
    }
    expect(await pair.storage.listByLogin(login.loginId)).toContainEqual(
      expect.objectContaining({ state: 'unreadable', cause: 'corrupt', sessionId: login.damaged.sessionId }),
    );
    await expectOthersUnaffected(login, []);
    // The command that the message suggests.
    await server.call('HDEL', login.record.key, login.damaged.sessionId);
    expect(await pair.storage.get(login.damaged.sessionId)).toBeUndefined();
  });

  test('touches a record of a later format without changing its format and its payload', async () => {
    const { pair } = context;
    const { damaged, record } = await damagedLogin((value) => (value.writeUInt8(3, 0), value));
    const message = expect.stringMatching(/later release.*Upgrade to that release/u);
    for (const call of [
      () => pair.storage.get(damaged.sessionId),
      () => WRITES.replace(pair.storage, damaged),
      () => WRITES.rotate(pair.storage, damaged),
    ]) {
      expect(await settle(call)).toMatchObject({ outcome: 'ERR_STORAGE_NEWER_FORMAT', message });
    }
    const before = await record.read();
    expect(await pair.storage.touch([damaged.sessionId])).toMatchObject([{ sessionId: damaged.sessionId }]);
    const after = await record.read();
    expect(after.readDoubleLE(18)).toBeGreaterThanOrEqual(before.readDoubleLE(18));
    // The times of the access and of the expiry.
    for (const value of [before, after]) value.fill(0, 18, 34);
    expect(after).toEqual(before);
  });

  test('leaves a record with the layout of a later release alone, until the session is ended', async () => {
    const { pair } = context;
    const login = await damagedLogin((value) => (value.writeUInt8(16, 0), value));
    const before = await login.record.read();
    const { sessionId } = login.damaged;
    for (const call of [
      () => pair.storage.get(sessionId),
      () => WRITES.replace(pair.storage, login.damaged),
      () => WRITES.rotate(pair.storage, login.damaged),
    ]) {
      expect(await settle(call)).toMatchObject({ outcome: 'ERR_STORAGE_NEWER_FORMAT' });
    }
    expect(await pair.storage.touch([sessionId])).toEqual([undefined]);
    expect(await pair.storage.sweep(SWEEP)).toBe(0);
    expect(await login.record.read()).toEqual(before);
    expect(await WRITES.end(pair.storage, login.damaged)).toMatchObject({ outcome: 'ended', session: { sessionId } });
  });

  test('never shortens the time to live of a hash with a record that cannot be read', async () => {
    const { server, pair } = context;
    const { loginId, intact, record } = await damagedLogin(() => Buffer.from('not a record'));
    const expiresAt = async () => Number(await server.call('PEXPIRETIME', record.key));
    const before = await expiresAt();
    for (const session of intact) await WRITES.end(pair.storage, session);
    expect(await expiresAt()).toBe(before);
    expect(await pair.storage.listByLogin(loginId)).toMatchObject([{ state: 'unreadable', cause: 'corrupt' }]);
  });

  test('removes a record in which no user can be read, if it is the only one, and lets copies of it be dropped', async () => {
    const { server, pair } = context;
    const loginId = `login-${logins++}`;
    const only = await created(pair.witness, loginId);
    const record = new StoredRecord(server, pair.keyPrefix, only.sessionId);
    const before = await pair.witness.count();
    await record.write(Buffer.from('not a record'));
    const received: StorageChange[] = [];
    pair.storage.changes((change) => received.push(change));
    expect(await WRITES.end(pair.storage, only)).toEqual({ outcome: 'removed' });
    expect(await pair.storage.get(only.sessionId)).toBeUndefined();
    expect(await pair.witness.count()).toEqual({ sessions: before.sessions - 1, logins: before.logins - 1 });
    await eventually(() => received.some(({ type }) => type === 'feed.gap'));
  });

  test('no longer counts an unreadable session after its hash has expired', async () => {
    const { server, pair } = context;
    const loginId = `login-${logins++}`;
    const before = await pair.witness.count();
    const [first, last] = [await created(pair.witness, loginId), await created(pair.witness, loginId)];
    const record = new StoredRecord(server, pair.keyPrefix, first.sessionId);
    await record.write(Buffer.from('not a record'));
    await WRITES.end(pair.storage, last);
    expect(await pair.witness.count()).toEqual({ sessions: before.sessions + 1, logins: before.logins + 1 });
    await server.call('DEL', record.key);
    const { expiries } = keysOf(pair.keyPrefix, first.sessionId);
    const tag = record.key.slice(-15);
    // The sweep looks again within a day.
    const dueAt = Number(await server.call('ZSCORE', expiries, tag)) / 1024;
    expect(dueAt - pair.storage.now()).toBeLessThan(86_400_000 + 60_000);
    await server.call('ZADD', expiries, '1', tag);
    await pair.storage.sweep(SWEEP);
    expect(await server.call('ZSCORE', expiries, tag)).toBeNull();
  });

  test('never returns or ends another session whose record was copied', async () => {
    const { server, pair } = context;
    const other = await created(pair.witness, 'another-login', 'secret of another');
    const value = await new StoredRecord(server, pair.keyPrefix, other.sessionId).read();
    const login = await damagedLogin(() => value);
    const changes: StorageChange[] = [];
    pair.storage.changes((change) => changes.push(change));
    for (const write of [WRITES.replace, WRITES.rotate]) {
      expect(await settle(() => write(pair.storage, login.damaged))).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT' });
    }
    expect(await settle(() => pair.storage.get(login.damaged.sessionId))).toMatchObject({
      outcome: 'ERR_STORAGE_CORRUPT',
    });
    const { loginId, sessionId } = login.damaged;
    const end = await WRITES.end(pair.storage, login.damaged);
    expect(end).toMatchObject({ outcome: 'ended', session: { sessionId, loginId, serviceId: '@unknown' } });
    await expectOthersUnaffected(login);
    await created(pair.storage, loginId);
    await eventually(() => changes.at(-1)?.type === 'session.created');
    expect(changes.filter((change) => 'sessionId' in change && change.sessionId === other.sessionId)).toEqual([]);
    expect(await pair.storage.get(other.sessionId)).toMatchObject({
      state: 'live',
      payload: new Uint8Array(bytes('secret of another')),
    });
  });

  test('reports a record that is truncated anywhere before its payload, and serves other sessions', async () => {
    const { pair } = context;
    const { length } = await (await damagedLogin((value) => value)).record.read();
    await atEach(length - PAYLOAD.length, async (cut) => {
      const login = await damagedLogin((value) => value.subarray(0, cut));
      const { outcome } = await settle(() => pair.storage.get(login.damaged.sessionId));
      expect([cut, outcome]).toEqual([cut, 'ERR_STORAGE_CORRUPT']);
      await expectOthersUnaffected(login);
    });
  });

  // There is no checksum: a changed time, version or payload is read as valid.
  test('returns an error or a session with the same id after any byte has changed, and serves other sessions', async () => {
    const { pair } = context;
    const { length } = await (await damagedLogin((value) => value)).record.read();
    await atEach(length, async (at) => {
      for (const mask of [0xff, 0x01]) {
        const login = await damagedLogin((value) => (value.writeUInt8(value[at]! ^ mask, at), value));
        const { outcome } = await settle(async () => {
          expect(await pair.storage.get(login.damaged.sessionId)).toMatchObject({ sessionId: login.damaged.sessionId });
        });
        expect([at, outcome]).toEqual([
          at,
          expect.stringMatching(/^(read|ERR_STORAGE_CORRUPT|ERR_STORAGE_NEWER_FORMAT)$/u),
        ]);
        await expectOthersUnaffected(login);
      }
    });
  });

  test('serves other sessions if a tombstone is truncated or changed anywhere', async () => {
    const { pair } = context;
    const { length } = await endedAndRead(await damagedLogin((value) => value));
    await atEach(length, async (at) => {
      const [cut, flipped] = [await damagedLogin((value) => value), await damagedLogin((value) => value)];
      await cut.record.write((await endedAndRead(cut)).subarray(0, at));
      const value = await endedAndRead(flipped);
      value.writeUInt8(value[at]! ^ 0xff, at);
      await flipped.record.write(value);
      expect([at, await settle(() => pair.storage.get(cut.damaged.sessionId))]).toMatchObject([
        at,
        { outcome: 'ERR_STORAGE_CORRUPT' },
      ]);
      for (const login of [cut, flipped]) await expectOthersUnaffected(login);
    });
  });
});

/** Runs the work for each offset, a few at a time. */
async function atEach(length: number, work: (offset: number) => Promise<void>): Promise<void> {
  const offsets = Array.from({ length }, (_, offset) => offset);
  while (offsets.length > 0) await Promise.all(offsets.splice(0, AT_A_TIME).map(work));
}

async function endedAndRead({ damaged, record }: DamagedLogin): Promise<Buffer> {
  await WRITES.end(context.pair.witness, damaged);
  return record.read();
}

function ids(sessions: readonly { readonly sessionId: string }[]): string[] {
  return sessions.map(({ sessionId }) => sessionId);
}

/** Creates a user with three sessions, and damages the second. */
async function damagedLogin(damage: (value: Buffer) => Buffer): Promise<DamagedLogin> {
  const { server, pair } = context;
  const loginId = `login-${logins++}`;
  const [first, damaged, last] = [
    await created(pair.witness, loginId, PAYLOAD),
    await created(pair.witness, loginId, PAYLOAD),
    await created(pair.witness, loginId, PAYLOAD),
  ];
  const record = new StoredRecord(server, pair.keyPrefix, damaged.sessionId);
  await record.write(damage(await record.read()));
  return { loginId, intact: [first, last], damaged, record };
}

/** Expects a documented outcome of every call on the damaged session, and normal ones on the others. */
async function expectOthersUnaffected(
  { loginId, intact, damaged }: DamagedLogin,
  endings = [WRITES.end],
): Promise<void> {
  const { storage } = context.pair;
  const others = ids(intact);
  for (const write of [WRITES.touch, WRITES.replace, WRITES.rotate, ...endings]) {
    expect((await settle(() => write(storage, damaged))).outcome).toMatch(DOCUMENTED);
  }
  expect(
    (await settle(() => storage.create({ ...creation(storage, loginId), sessionId: damaged.sessionId }))).outcome,
  ).toMatch(DOCUMENTED);
  expect(ids(await storage.listByLogin(loginId))).toEqual(expect.arrayContaining(others));
  expect(await storage.touch(others)).toEqual(others.map((sessionId) => expect.objectContaining({ sessionId })));
  expect(await WRITES.replace(storage, intact[0]!)).toMatchObject({ outcome: 'replaced' });
  const added = await created(storage, loginId);
  await storage.listHistory(loginId);
  await storage.sweep(SWEEP);
  const ended = ids(await WRITES.endAll(storage, damaged));
  expect(ended).toEqual(expect.arrayContaining([...others, added.sessionId]));
  for (const id of others) expect(await storage.get(id)).toMatchObject({ state: 'ended', reason: 'kicked-out' });
}
