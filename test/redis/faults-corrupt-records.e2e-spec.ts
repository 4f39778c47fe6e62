import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { settle } from '../support/storage/settled-call.js';
import { bytes, creation, created, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';
import { type DamagedLogin, PAYLOAD, damagedLogin } from '../support/redis/damaged-login.js';
import { StoredRecord } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';

/** How many damaged users are tested at a time. */
const AT_A_TIME = 10;
const SWEEP = { limit: 100, historyRetentionMs: RETENTION_MS };
/** The possible outcomes: damage that is still a valid record cannot be detected. */
const DOCUMENTED =
  /^(read|created|replaced|conflict|ended|already-ended|missing|removed|rotated|id-taken|ERR_STORAGE_CORRUPT|ERR_STORAGE_NEWER_FORMAT)$/u;

const context = useRedisPair();

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
    const login = await damagedLogin(context, damage);
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

  test('never returns or ends another session whose record was copied', async () => {
    const { server, pair } = context;
    const other = await created(pair.witness, 'another-login', 'secret of another');
    const value = await new StoredRecord(server, pair.keyPrefix, other.sessionId).read();
    const login = await damagedLogin(context, () => value);
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
    const { length } = await (await damagedLogin(context, (value) => value)).record.read();
    await atEach(length - PAYLOAD.length, async (cut) => {
      const login = await damagedLogin(context, (value) => value.subarray(0, cut));
      const { outcome } = await settle(() => pair.storage.get(login.damaged.sessionId));
      expect([cut, outcome]).toEqual([cut, 'ERR_STORAGE_CORRUPT']);
      await expectOthersUnaffected(login);
    });
  });

  // There is no checksum: a changed time, version or payload is read as valid.
  test('returns an error or a session with the same id after any byte has changed, and serves other sessions', async () => {
    const { pair } = context;
    const { length } = await (await damagedLogin(context, (value) => value)).record.read();
    await atEach(length, async (at) => {
      for (const mask of [0xff, 0x01]) {
        const login = await damagedLogin(context, (value) => (value.writeUInt8(value[at]! ^ mask, at), value));
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
    const { length } = await endedAndRead(await damagedLogin(context, (value) => value));
    await atEach(length, async (at) => {
      const [cut, flipped] = [
        await damagedLogin(context, (value) => value),
        await damagedLogin(context, (value) => value),
      ];
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
