import { beforeEach, describe, expect, it } from '@jest/globals';
import { StorageCorruptError, StorageUnavailableError } from '../errors/storage.errors.js';
import { resolveOptions } from '../resolve-options.js';
import type { ReplaceSession } from '../storage/session-storage.operations.js';
import { InMemorySessionStorage } from '../storage/in-memory/in-memory-session-storage.js';
import { FakeClock } from '../testing/fake-clock.js';
import { AttributeWriter } from './attribute-writer.js';
import { type AttributePatch, NO_ATTRIBUTES } from '../model/attributes.js';
import { checkPatch } from './checked-patch.js';
import { openSession } from './open-session.js';
import { SessionIssuer } from './session-issuer.js';
import { encodePayload } from './session-payload.js';
import { TokenDigests } from './token-digests.js';

const GRACE_MS = 10_000;

/** Counts writes, and intercepts them as a test requires. */
class WatchedStorage extends InMemorySessionStorage {
  writes = 0;
  beforeWrite: (() => Promise<unknown>) | undefined;

  override async replace(change: ReplaceSession) {
    this.writes++;
    await this.beforeWrite?.();
    return super.replace(change);
  }

  /** A write of another process. */
  foreign(change: ReplaceSession) {
    return super.replace(change);
  }
}

const AUTHOR = { serviceId: 'svc', isLimited: false };

describe('AttributeWriter', () => {
  let clock: FakeClock;
  let storage: WatchedStorage;
  let issuer: SessionIssuer;
  let writer: AttributeWriter;
  let sessionId: string;

  beforeEach(async () => {
    clock = new FakeClock();
    storage = new WatchedStorage({ clock });
    const attributeLimits = { maxCount: 60, maxTotalBytes: 2_000 };
    const options = resolveOptions({ serviceId: 'svc', storage, attributeLimits, rotationGraceMs: GRACE_MS });
    issuer = new SessionIssuer(storage, options, new TokenDigests({}));
    writer = new AttributeWriter(storage, options, new TokenDigests({}));
    const creation = { loginId: 'alice', attributes: NO_ATTRIBUTES, timeouts: options.timeouts };
    sessionId = (await issuer.create(creation, { by: 'svc', mayDisplace: true })).open.record.sessionId;
  });

  const write = (patch: AttributePatch, by = 'svc', id = sessionId) =>
    writer.write(id, checkPatch(patch, resolveOptions({ serviceId: 'svc', storage }).attributeLimits), {
      ...AUTHOR,
      serviceId: by,
    });
  const end = () => storage.end({ sessionId, reason: 'kicked-out', by: 'other', historyRetentionMs: 1_000 });

  async function stored(id = sessionId) {
    const session = await storage.get(id);
    if (session?.state !== 'live') throw new Error('is not live');
    return openSession(session);
  }

  async function writeElsewhere(key: string): Promise<void> {
    const { record, payload } = await stored();
    const attributes = { ...payload.attributes, [key]: true };
    const change = { sessionId, expectedVersion: record.version, by: 'other', touch: true };
    await storage.foreign({ ...change, payload: encodePayload({ ...payload, attributes }) });
  }

  it('combines concurrent patches of this process to a session into one write', async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`);
    const results = await Promise.all(keys.map((key, n) => write({ set: { [key]: n } })));
    expect(storage.writes).toBe(1);
    expect(Object.keys((await stored()).payload.attributes)).toEqual(keys);
    for (const [n, { payload, record }] of results.entries()) {
      expect(payload.attributes[`k${n}`]).toBe(n);
      expect(record.version).toBe(2);
    }
  });

  it('applies the patches of one write in order of arrival', async () => {
    await Promise.all([write({ set: { a: 1, b: 1 } }), write({ remove: ['a'] }), write({ set: { b: 2, c: 3 } })]);
    expect((await stored()).payload.attributes).toEqual({ b: 2, c: 3 });
  });

  it('does not combine patches of different services, so that each write carries its service id', async () => {
    const by: string[] = [];
    storage.changes((change) => change.type === 'session.updated' && by.push(change.by));
    await Promise.all([write({ set: { a: 1 } }, 'one'), write({ set: { b: 1 } }, 'two')]);
    await Promise.resolve();
    expect(by.toSorted()).toEqual(['one', 'two']);
    expect((await stored()).payload.attributes).toEqual({ a: 1, b: 1 });
  });

  it('applies its patches again to the version that another process wrote concurrently', async () => {
    let rivals = 0;
    storage.beforeWrite = async () => {
      if (rivals < 3) await writeElsewhere(`rival${rivals++}`);
    };
    const [result] = await Promise.all([write({ set: { mine: 1 } }), write({ set: { alsoMine: 2 } })]);
    const all = { rival0: true, rival1: true, rival2: true, mine: 1, alsoMine: 2 };
    expect(result.payload.attributes).toEqual(all);
    expect((await stored()).payload.attributes).toEqual(all);
    expect(storage.writes).toBe(4);
  });

  it('throws a conflict only after a hundred failed attempts', async () => {
    let rivals = 0;
    storage.beforeWrite = () => writeElsewhere(`rival${rivals++ % 10}`);
    await expect(write({ set: { mine: 1 } })).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT', sessionId });
    expect(storage.writes).toBe(100);
    expect((await stored()).payload.attributes).not.toHaveProperty('mine');
  });

  it('rejects only the patch that exceeds a limit, and writes the others', async () => {
    const long = 'x'.repeat(1_500);
    const results = await Promise.allSettled([
      write({ set: { a: long } }),
      write({ set: { b: long, alsoB: 1 } }),
      write({ set: { c: 1 } }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { constraint: 'attributes-total-size' } });
    expect((await stored()).payload.attributes).toEqual({ a: long, c: 1 });
    expect(storage.writes).toBe(1);
  });

  it('writes nothing if nothing changes', async () => {
    const { record } = await write({ remove: ['unknown'] });
    expect([record.version, storage.writes]).toEqual([1, 0]);
  });

  it('rejects all pending patches when the storage fails, and writes again once it recovers', async () => {
    storage.beforeWrite = () => Promise.reject(new StorageUnavailableError());
    const results = await Promise.allSettled([write({ set: { a: 1 } }), write({ set: { b: 1 } })]);
    for (const result of results) expect(result).toMatchObject({ reason: { code: 'ERR_STORAGE_UNAVAILABLE' } });
    storage.beforeWrite = undefined;
    expect((await write({ set: { c: 1 } })).payload.attributes).toEqual({ c: 1 });
  });

  it('does not lose a patch that arrives in the tick in which the previous write settles', async () => {
    await write({ set: { a: 1 } });
    const second = write({ set: { b: 2 } });
    await new Promise(setImmediate);
    const settled = await Promise.race([
      second.then(() => true),
      new Promise((resolve) => setImmediate(resolve, false)),
    ]);
    expect(settled).toBe(true);
    expect((await stored()).payload.attributes).toEqual({ a: 1, b: 2 });
  });

  it('rejects with the reason if the session ends before or during the write, without reviving it', async () => {
    storage.beforeWrite = end;
    await expect(write({ set: { a: 1 } })).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'kicked-out' });
    await expect(write({ set: { a: 1 } })).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED', sessionId });
    expect(storage.writes).toBe(1);
    clock.advance(1_000);
    await expect(write({ set: { a: 1 } })).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_FOUND' });
  });

  it('follows a session that is rotated before or during the write, within the grace period', async () => {
    storage.beforeWrite = async () => {
      storage.beforeWrite = undefined;
      await issuer.rotate(await stored(sessionId), { graceMs: GRACE_MS, by: 'svc' });
    };
    const { record } = await write({ set: { during: 1 } });
    expect(record.sessionId).not.toBe(sessionId);
    clock.advance(GRACE_MS - 1);
    await write({ set: { after: 2 } });
    expect((await stored(record.sessionId)).payload.attributes).toEqual({ during: 1, after: 2 });
    clock.advance(1);
    await expect(write({ set: { late: 3 } })).rejects.toMatchObject({ reason: 'rotated', rotatedTo: record.sessionId });
  });

  it('throws if the storage returns another session', async () => {
    const other = { ...(await stored()).record, sessionId: storage.nextSessionId() };
    storage.get = async () => other;
    await expect(write({ set: { a: 1 } })).rejects.toThrow(StorageCorruptError);
    expect(storage.writes).toBe(0);
  });

  it('waits for pending writes when drained, including those that fail', async () => {
    let open!: () => void;
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    storage.beforeWrite = () => held.then(() => Promise.reject(new StorageUnavailableError()));
    const failing = Promise.allSettled([write({ set: { a: 1 } })]);
    let drained = false;
    const draining = writer.drain().then(() => (drained = true));
    await new Promise(setImmediate);
    expect(drained).toBe(false);
    open();
    await draining;
    expect(await failing).toMatchObject([{ reason: { code: 'ERR_STORAGE_UNAVAILABLE' } }]);
  });
});

describe('AttributeWriter.replace', () => {
  it('replaces only the version that was opened, never a newer or ended one', async () => {
    const storage = new InMemorySessionStorage({ clock: new FakeClock() });
    const options = resolveOptions({ serviceId: 'svc', storage });
    const writer = new AttributeWriter(storage, options, new TokenDigests({}));
    const creation = { loginId: 'alice', attributes: NO_ATTRIBUTES, timeouts: options.timeouts };
    const { open } = await new SessionIssuer(storage, options, new TokenDigests({})).create(creation, {
      by: 'svc',
      mayDisplace: true,
    });
    const patch = checkPatch({ set: { a: 1 } }, options.attributeLimits);
    const newer = await writer.replace(open, patch, AUTHOR);
    expect(newer.record.version).toBe(2);
    const conflict = { code: 'ERR_SESSION_CONFLICT', expectedVersion: 1, currentVersion: 2 };
    await expect(writer.replace(open, patch, AUTHOR)).rejects.toMatchObject(conflict);
    const { sessionId } = open.record;
    await storage.end({ sessionId, reason: 'logged-out', by: 'svc', historyRetentionMs: 1_000 });
    await expect(
      writer.replace(newer, checkPatch({ set: { a: 2 } }, options.attributeLimits), AUTHOR),
    ).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'logged-out' });
  });
});
