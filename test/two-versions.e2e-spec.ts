import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { isFresh } from '../tools/build/freshness.js';
import { TARGETS } from '../tools/build/targets.js';
import { buildNextVersion } from './support/versions/next-version.js';
import { expectShared, outcomeOf } from './support/versions/shared-by-versions.js';
import { VersionStore } from './support/versions/version-store.js';

const STORES = [
  ['redis', 'payloads', {}],
  ['redis', 'records', { RECORD_FORMAT: '3' }],
  ['postgres', 'payloads', {}],
] as const;
const NEXT_ONLY = { attributes: { next: true } };
const NEWER = { code: 'ERR_STORAGE_NEWER_FORMAT' } as const;

let next: Awaited<ReturnType<typeof buildNextVersion>>;

beforeAll(async () => {
  if (!isFresh(TARGETS.library)) throw new Error('The built library is stale. Run `npm run build` first.');
  next = await buildNextVersion();
}, 180_000);

afterAll(() => next.remove());

describe.each(STORES)('on %s with newer %s, this version', (storage, formats, env) => {
  const { startOld, startNew } = new VersionStore(storage, env, () => next.dist);
  const records = formats === 'payloads' ? 'read' : NEWER.code;

  test('works beside the next one, whichever starts first', async () => {
    const older = await startOld();
    const newer = await startNew();
    await expectShared(older, newer, records);
    const late = await startOld();
    expect(late.output).toMatch(storage === 'redis' && formats === 'payloads' ? /^/u : /WARN.*later release/iu);
    await expectShared(late, newer, records);
    expect(newer.output).not.toContain('ERROR');
  }, 60_000);

  test('starts at the same time as the next one on an empty store', async () => {
    const starts = [startOld, startNew, startOld, startNew, startOld, startNew];
    const started = await Promise.all(starts.map((begin) => begin()));
    expect(started).toHaveLength(6);
    await expectShared(started[0]!, started[1]!, records);
    await expectShared(started[4]!, started[5]!, records);
  }, 90_000);

  test('works on after the next one was rolled back, and the next one after it returns', async () => {
    const older = await startOld();
    const newer = await startNew();
    const plain = await newer.sessions.createSession('alice');
    const special = await newer.sessions.createSession('alice', undefined, NEXT_ONLY);
    await newer.close();
    const again = await startOld();
    for (const each of [older, again]) {
      expect(await outcomeOf(each.sessions.getSession(plain.sessionId))).toBe(records);
      await expect(each.sessions.getSession(special.sessionId)).rejects.toMatchObject(NEWER);
      expect(await each.sessions.countSessions('alice')).toBe(2);
    }
    const between = await again.sessions.createSession('alice');
    const back = await startNew();
    for (const { sessionId } of [plain, special, between]) {
      expect(await back.sessions.getSession(sessionId)).toMatchObject({ sessionId });
    }
    expect(await back.sessions.getSession(special.sessionId)).toMatchObject(NEXT_ONLY);
    await expectShared(again, back, records);
  }, 60_000);

  test('marks sessions that only the next one reads, does not damage them, and ends them', async () => {
    const [older, newer] = [await startOld(), await startNew()];
    const mine = await older.sessions.createSession('alice');
    const theirs = await newer.sessions.createSession('alice', undefined, { ...NEXT_ONLY, device: 'tv' });
    const { sessionId, credential } = theirs;
    const listed = await older.sessions.getSessionsByLoginId('alice');
    expect(listed.map((each) => [each.sessionId, each.unreadable, each.device])).toEqual([
      [mine.sessionId, undefined, undefined],
      [sessionId, 'newer-format', 'tv'],
    ]);
    expect(await older.sessions.countSessions('alice')).toBe(2);
    expect((await older.sessions.listLogins()).logins).toEqual([{ loginId: 'alice', sessions: 2 }]);
    const calls = [
      () => older.sessions.verifySession(credential),
      () => older.sessions.getSession(sessionId),
      () => older.sessions.refreshSession(sessionId),
      () => older.sessions.setAttribute(sessionId, 'role', 'admin'),
      () => older.sessions.rotateSession(credential),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject(NEWER);
    await older.storage.touch([sessionId]);
    await older.storage.sweep({ limit: 100, historyRetentionMs: 60_000 });
    await newer.sessions.setAttribute(sessionId, 'role', 'admin');
    expect(await newer.sessions.verifySession(credential)).toMatchObject({ attributes: { next: true, role: 'admin' } });
    expect(await older.sessions.deleteAllSessions('alice', { exceptSessionId: sessionId })).toBe(1);
    expect(await older.sessions.kickOut(sessionId, { actor: 'root' })).toBe(true);
    await expect(newer.sessions.verifySession(credential)).rejects.toMatchObject({ reason: 'kicked-out' });
    expect(await newer.sessions.getSessionHistory('alice')).toMatchObject([{ sessionId, actor: 'root' }, {}]);
    expect(await newer.sessions.countOnline()).toEqual({ sessions: 0, logins: 0 });
  }, 60_000);

  test('shows reasons that the next one has added, and reports its changes as gaps', async () => {
    const [older, newer] = [await startOld(), await startNew()];
    const { sessionId, credential } = await older.sessions.createSession('alice');
    await older.takeEvents();
    if (storage === 'redis') await newer.storage.touch([sessionId]);
    else await newer.sessions.setAttribute(sessionId, 'a', 1);
    await newer.sessions.deleteSession(sessionId, { reason: 'device-mismatch' as 'revoked' });
    const received: unknown[] = [];
    await eventually(async () => {
      received.push(...(await older.takeEvents()));
      return JSON.stringify(received).includes('session.ended');
    });
    expect(received).toContainEqual(expect.objectContaining({ type: 'feed.gap' }));
    expect(received).toContainEqual(
      expect.objectContaining({ type: 'session.ended', sessionId, reason: 'device-mismatch' }),
    );
    expect(await older.sessions.getSessionHistory('alice')).toMatchObject([{ sessionId, reason: 'device-mismatch' }]);
    const ended = { code: 'ERR_SESSION_ENDED', reason: 'device-mismatch' };
    await expect(older.sessions.verifySession(credential)).rejects.toMatchObject(ended);
    const { sessionId: later } = await older.sessions.createSession('bob');
    await eventually(async () => JSON.stringify(await older.takeEvents()).includes(later));
  }, 60_000);

  test('verifies services with permissions that only the next one knows, and lists and keeps these', async () => {
    const [older, newer] = [await startOld(), await startNew()];
    const permissions = ['session.list', 'crm.read@acme', 'session.audit'];
    const service = { serviceId: 'orders', serviceName: 'Orders', permissions };
    const { secret } = await newer.sessions.registerService(service);
    const verified = await older.sessions.verifyServiceSecret(secret);
    expect(verified).toMatchObject({ serviceId: 'orders', permissions: ['session.list', 'session.audit'] });
    expect(await older.sessions.listServices()).toMatchObject([{ permissions }]);
    await older.sessions.rotateServiceSecret('orders');
    expect(await newer.sessions.listServices()).toMatchObject([{ permissions, version: 2 }]);
  }, 60_000);

  test('stops, and refuses to start with a sentence that names the release, if the next one needs itself', async () => {
    const older = await startOld();
    const { sessionId } = await older.sessions.createSession('alice');
    await startNew({ OLDEST: '1', RECORD_FORMAT: '3' });
    const refused = { code: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining('install 0.2.0 or later') };
    await eventually(
      async () =>
        !(await older.sessions.getSession(sessionId).then(
          () => true,
          () => false,
        )),
    );
    await expect(older.sessions.setAttribute(sessionId, 'a', 1)).rejects.toMatchObject(refused);
    await expect(older.storage.ping()).rejects.toMatchObject(refused);
    await expect(startOld()).rejects.toMatchObject({
      code: 'ERR_OPTIONS',
      message: expect.stringContaining('install 0.2.0 or later'),
    });
  }, 60_000);
});

describe.each(['redis', 'postgres'] as const)('on %s, this version', (storage) => {
  const { startOld, startNew } = new VersionStore(storage, {}, () => next.dist);

  test('keeps the fields that the next one has added, in writes and rotations', async () => {
    const [older, newer] = [await startOld(), await startNew()];
    const { sessionId, credential } = await older.sessions.createSession('alice');
    await newer.sessions.setAttribute(sessionId, 'from', 'next');
    const payloadOf = async (id: string) => {
      const stored = await older.storage.get(id);
      if (stored?.state !== 'live') throw new Error('The session is not live.');
      return JSON.parse(Buffer.from(stored.payload).toString()) as Record<string, unknown>;
    };
    expect(await payloadOf(sessionId)).toMatchObject({ f: 2, z: ['next'] });
    await older.sessions.setAttribute(sessionId, 'from', 'this');
    expect(await payloadOf(sessionId)).toMatchObject({ f: 2, z: ['next'], a: { from: 'this' } });
    const rotated = await older.sessions.rotateSession(credential);
    expect(await payloadOf(rotated.sessionId)).toMatchObject({ z: ['next'] });
    expect(await newer.sessions.getSession(rotated.sessionId)).toMatchObject({ attributes: { from: 'this' } });
  }, 60_000);
});
