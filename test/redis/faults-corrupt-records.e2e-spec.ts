import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SessionRecord, StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { settle } from '../support/storage/settled-call.js';
import { bytes, creation, created, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';
import { openRedisPair, type RedisStoragePair } from '../support/redis/redis-storage-pair.js';
import { StoredRecord } from '../support/redis/stored-record.js';

const PAYLOAD = 'payload';
/** How many damaged logins are tried at a time. */
const AT_A_TIME = 10;
const SWEEP = { limit: 100, historyRetentionMs: RETENTION_MS };
/** Calls may answer as if nothing were wrong, where nothing tells that something is. */
const DOCUMENTED =
  /^(read|created|replaced|conflict|ended|already-ended|missing|rotated|id-taken|ERR_STORAGE_CORRUPT)$/u;

let server: RedisServer;
let pair: RedisStoragePair;
let logins = 0;

beforeAll(async () => {
  server = await RedisServer.start();
  pair = await openRedisPair(server);
});

afterAll(async () => {
  await pair.close();
  await server.stop();
});

interface DamagedLogin {
  readonly loginId: string;
  readonly good: readonly SessionRecord[];
  readonly bad: SessionRecord;
  readonly record: StoredRecord;
}

/** A login of its own with three sessions, of which the second is not what it was. */
async function damagedLogin(damage: (value: Buffer) => Buffer): Promise<DamagedLogin> {
  const loginId = `login-${logins++}`;
  const [first, bad, last] = [
    await created(pair.witness, loginId, PAYLOAD),
    await created(pair.witness, loginId, PAYLOAD),
    await created(pair.witness, loginId, PAYLOAD),
  ];
  const record = new StoredRecord(server, pair.keyPrefix, bad.sessionId);
  await record.write(damage(await record.read()));
  return { loginId, good: [first, last], bad, record };
}

/** Everything that may be asked about the bad session answers as documented, and about the others as ever. */
async function expectOthersUnaffected({ loginId, good, bad }: DamagedLogin): Promise<void> {
  const { storage } = pair;
  const others = ids(good);
  for (const write of [WRITES.touch, WRITES.replace, WRITES.rotate, WRITES.end]) {
    expect((await settle(() => write(storage, bad))).outcome).toMatch(DOCUMENTED);
  }
  expect(
    (await settle(() => storage.create({ ...creation(storage, loginId), sessionId: bad.sessionId }))).outcome,
  ).toMatch(DOCUMENTED);
  expect(ids(await storage.listByLogin(loginId))).toEqual(expect.arrayContaining(others));
  expect(await storage.touch(others)).toEqual(others.map((sessionId) => expect.objectContaining({ sessionId })));
  expect(await WRITES.replace(storage, good[0]!)).toMatchObject({ outcome: 'replaced' });
  const added = await created(storage, loginId);
  await storage.listHistory(loginId);
  await storage.sweep(SWEEP);
  const ended = ids(await WRITES.endAll(storage, bad));
  expect(ended).toEqual(expect.arrayContaining([...others, added.sessionId]));
  for (const id of others) expect(await storage.get(id)).toMatchObject({ state: 'ended', reason: 'kicked-out' });
}

describe('a stored session that was damaged', () => {
  const unreadable: [string, (value: Buffer) => Buffer][] = [
    ['is empty', () => Buffer.alloc(0)],
    ['is random bytes', () => Buffer.concat([Buffer.from([0]), randomBytes(200)])],
    ['has times that are none', (value) => (value.writeDoubleLE(NaN, 26), value)],
    ['ends never', (value) => (value.writeDoubleLE(Infinity, 26), value)],
    ['ends later than any time', (value) => (value.writeDoubleLE(1e300, 26), value)],
    ['is kept for ever', (value) => (value.writeDoubleLE(1e300, 50), value)],
    [
      'says that its identity is longer than it is',
      (value) => (value.writeUInt16LE(value.readUInt16LE(58) + 1, 58), value),
    ],
    ['says that its identity is longer than all of it', (value) => (value.writeUInt16LE(0xffff, 58), value)],
    ['says that its identity is shorter than it is', (value) => (value.writeUInt16LE(17, 58), value)],
  ];

  test.each(unreadable)('%s: it is an error that says where it is, and in nobody’s way', async (_name, damage) => {
    const login = await damagedLogin(damage);
    const message = expect.stringContaining(`HDEL ${login.record.key} ${login.bad.sessionId}`);
    for (const call of [() => pair.storage.get(login.bad.sessionId), () => WRITES.replace(pair.storage, login.bad)]) {
      expect(await settle(call)).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT', message });
    }
    await expectOthersUnaffected(login);
    // The way out that the message names.
    await server.call('HDEL', login.record.key, login.bad.sessionId);
    expect(await pair.storage.get(login.bad.sessionId)).toBeUndefined();
  });

  test('is of a newer format: the error asks for that release', async () => {
    const login = await damagedLogin((value) => (value.writeUInt8(2, 0), value));
    const message = expect.stringMatching(/later release.*Upgrade to that release\.$/u);
    for (const write of [() => pair.storage.get(login.bad.sessionId), () => WRITES.end(pair.storage, login.bad)]) {
      expect(await settle(write)).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT', message });
    }
    await expectOthersUnaffected(login);
    expect((await login.record.read()).readUInt8(0)).toBe(2);
  });

  test('is that of another session: it is never data, and never ends the other one', async () => {
    const other = await created(pair.witness, 'another-login', 'secret of another');
    const value = await new StoredRecord(server, pair.keyPrefix, other.sessionId).read();
    const login = await damagedLogin(() => value);
    const changes: StorageChange[] = [];
    pair.storage.changes((change) => changes.push(change));
    for (const write of [WRITES.replace, WRITES.rotate, WRITES.end]) {
      expect(await settle(() => write(pair.storage, login.bad))).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT' });
    }
    expect(await settle(() => pair.storage.get(login.bad.sessionId))).toMatchObject({ outcome: 'ERR_STORAGE_CORRUPT' });
    await expectOthersUnaffected(login);
    await created(pair.storage, login.loginId);
    await eventually(() => changes.at(-1)?.type === 'session.created');
    expect(changes.filter((change) => 'sessionId' in change && change.sessionId === other.sessionId)).toEqual([]);
    expect(await pair.storage.get(other.sessionId)).toMatchObject({
      state: 'live',
      payload: new Uint8Array(bytes('secret of another')),
    });
  });

  test('is cut off anywhere before its payload: it is an error, and the others go on', async () => {
    const { length } = await (await damagedLogin((value) => value)).record.read();
    await atEach(length - PAYLOAD.length, async (cut) => {
      const login = await damagedLogin((value) => value.subarray(0, cut));
      const { outcome } = await settle(() => pair.storage.get(login.bad.sessionId));
      expect([cut, outcome]).toEqual([cut, 'ERR_STORAGE_CORRUPT']);
      await expectOthersUnaffected(login);
    });
  });

  // There is no checksum: what is still a record, with another time, version or payload, is read as that record.
  test('has any byte flipped: it is an error or a session under its own id, and the others go on', async () => {
    const { length } = await (await damagedLogin((value) => value)).record.read();
    await atEach(length, async (at) => {
      for (const mask of [0xff, 0x01]) {
        const login = await damagedLogin((value) => (value.writeUInt8(value[at]! ^ mask, at), value));
        const { outcome } = await settle(async () => {
          expect(await pair.storage.get(login.bad.sessionId)).toMatchObject({ sessionId: login.bad.sessionId });
        });
        expect([at, outcome]).toEqual([at, expect.stringMatching(/^(read|ERR_STORAGE_CORRUPT)$/u)]);
        await expectOthersUnaffected(login);
      }
    });
  });

  test('is a tombstone that is cut off or flipped anywhere: the others go on', async () => {
    const { length } = await endedAndRead(await damagedLogin((value) => value));
    await atEach(length, async (at) => {
      const [cut, flipped] = [await damagedLogin((value) => value), await damagedLogin((value) => value)];
      await cut.record.write((await endedAndRead(cut)).subarray(0, at));
      const value = await endedAndRead(flipped);
      value.writeUInt8(value[at]! ^ 0xff, at);
      await flipped.record.write(value);
      expect([at, await settle(() => pair.storage.get(cut.bad.sessionId))]).toMatchObject([
        at,
        { outcome: 'ERR_STORAGE_CORRUPT' },
      ]);
      for (const login of [cut, flipped]) await expectOthersUnaffected(login);
    });
  });
});

/** Does the work for each offset, a few at a time: each has a login of its own. */
async function atEach(length: number, work: (offset: number) => Promise<void>): Promise<void> {
  const offsets = Array.from({ length }, (_, offset) => offset);
  while (offsets.length > 0) await Promise.all(offsets.splice(0, AT_A_TIME).map(work));
}

async function endedAndRead({ bad, record }: DamagedLogin): Promise<Buffer> {
  await WRITES.end(pair.witness, bad);
  return record.read();
}

function ids(sessions: readonly { readonly sessionId: string }[]): string[] {
  return sessions.map(({ sessionId }) => sessionId);
}
