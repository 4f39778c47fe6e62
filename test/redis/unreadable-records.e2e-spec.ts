import { describe, expect, test } from '@jest/globals';
import type { StorageChange } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { damagedLogin } from '../support/redis/damaged-login.js';
import { StoredRecord, keysOf } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';
import { settle } from '../support/storage/settled-call.js';
import { RETENTION_MS, WRITES, created } from '../support/storage/storage-calls.js';

const SWEEP = { limit: 100, historyRetentionMs: RETENTION_MS };
const context = useRedisPair();
let logins = 0;

describe('RedisSessionStorage with a record that it cannot read', () => {
  test('touches a record of a later format without changing its format and its payload', async () => {
    const { pair } = context;
    const { damaged, record } = await damagedLogin(context, (value) => (value.writeUInt8(3, 0), value));
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
    const login = await damagedLogin(context, (value) => (value.writeUInt8(16, 0), value));
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
    const { loginId, intact, record } = await damagedLogin(context, () => Buffer.from('not a record'));
    const expiresAt = async () => Number(await server.call('PEXPIRETIME', record.key));
    const before = await expiresAt();
    for (const session of intact) await WRITES.end(pair.storage, session);
    expect(await expiresAt()).toBe(before);
    expect(await pair.storage.listByLogin(loginId)).toMatchObject([{ state: 'unreadable', cause: 'corrupt' }]);
  });

  test('removes a record in which no user can be read, if it is the only one, and lets copies of it be dropped', async () => {
    const { server, pair } = context;
    const loginId = `only-${logins++}`;
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
    const loginId = `only-${logins++}`;
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
});
