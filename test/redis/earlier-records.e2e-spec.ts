import { describe, expect, test } from '@jest/globals';
import type { SessionRecord, SessionTombstone } from 'nestjs-distributed-session/storage';
import { packedRecord, packedTombstone } from '../support/redis/packed-session.js';
import { StoredRecord } from '../support/redis/stored-record.js';
import { useRedisPair } from '../support/redis/use-redis-pair.js';
import { bytes, created, createdExpired, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

const context = useRedisPair();
const PLACE = { place: 1, historyRetentionMs: RETENTION_MS };
let logins = 0;

/** A live session whose record has the first format, which has no token digest. */
async function earlierSession(
  create = created,
): Promise<{ readonly session: SessionRecord; readonly stored: StoredRecord }> {
  const { server, pair } = context;
  const { tokenDigest: _, ...session } = await create(pair.storage, `early-${++logins}`);
  const stored = new StoredRecord(server, pair.keyPrefix, session.sessionId);
  await stored.write(packedRecord(session, PLACE, 1));
  return { session, stored };
}

const formatOf = async (stored: StoredRecord) => (await stored.read())[0];

describe('RedisSessionStorage with a record of the first format', () => {
  test('reads it, without a token digest, and does not write it', async () => {
    const { session, stored } = await earlierSession();
    const read = await context.pair.storage.get(session.sessionId);
    expect(read).toEqual({ ...session, payload: read?.state === 'live' && read.payload });
    expect(await context.pair.storage.listByLogin(session.loginId)).toEqual([read]);
    expect(await formatOf(stored)).toBe(1);
  });

  test('replaces it in the current format, with the digest that the write adds', async () => {
    const { session, stored } = await earlierSession();
    const { sessionId } = session;
    const change = { sessionId, expectedVersion: 1, payload: bytes('second'), touch: true, by: 'tests' };
    const result = await context.pair.storage.replace({ ...change, tokenDigest: 'added' });
    expect(result).toMatchObject({ outcome: 'replaced', session: { version: 2, tokenDigest: 'added' } });
    expect(await formatOf(stored)).toBe(2);
    expect(await context.pair.witness.get(sessionId)).toMatchObject({ version: 2, tokenDigest: 'added' });
  });

  test('touches it without losing its payload', async () => {
    const { session, stored } = await earlierSession();
    expect(await context.pair.storage.touch([session.sessionId])).toMatchObject([{ sessionId: session.sessionId }]);
    expect(await formatOf(stored)).toBe(2);
    const read = (await context.pair.storage.get(session.sessionId)) as SessionRecord;
    expect([Buffer.from(read.payload), read.tokenDigest]).toEqual([Buffer.from(session.payload), undefined]);
  });

  test.each(['end', 'endAll', 'rotate'] as const)('writes a tombstone without a digest on %s', async (name) => {
    const { session, stored } = await earlierSession();
    await WRITES[name](context.pair.storage, session);
    const tombstone = await context.pair.storage.get(session.sessionId);
    expect(tombstone).toMatchObject({ state: 'ended', loginId: session.loginId });
    expect(tombstone).not.toHaveProperty('tokenDigest');
    expect(await formatOf(stored)).toBe(2);
  });

  test('sweeps it', async () => {
    const { session } = await earlierSession(createdExpired);
    const sweep = { limit: 100, historyRetentionMs: RETENTION_MS };
    expect(await context.pair.storage.sweep(sweep)).toBe(1);
    expect(await context.pair.storage.listHistory(session.loginId)).toMatchObject([{ reason: 'idle-timeout' }]);
  });

  test('reads a tombstone of the first format', async () => {
    const { session, stored } = await earlierSession();
    const { payload: _, state: __, expiresAt: ___, idleTimeoutMs: ____, absoluteExpiresAt: _____, ...header } = session;
    const ending = { state: 'ended', reason: 'kicked-out', endedAt: session.createdAt, endedBy: 'tests' } as const;
    const tombstone: SessionTombstone = { ...header, ...ending };
    await stored.write(packedTombstone(tombstone, PLACE, 1));
    expect(await context.pair.storage.get(session.sessionId)).toEqual(tombstone);
    expect(await WRITES.end(context.pair.storage, session)).toEqual({ outcome: 'already-ended', session: tombstone });
  });
});
