import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import type { IssuedSession } from '../../model/session.js';
import type { SessionRefusedEvent } from '../../session/session-event.js';
import { rejectsWith } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

const [OLD_KEY, NEW_KEY] = ['the old token key of the application', 'the new token key of the application'];
const TOKEN = 'the-token-of-an-earlier-build';

type End = (sessions: DistributedSessionManager, session: IssuedSession) => Promise<unknown>;

/** Every way in which a session ends, with the reason that its owner learns. */
const ENDINGS: Readonly<Record<string, readonly [end: End, reason: string]>> = {
  'was deleted': [(s, { sessionId }) => s.deleteSession(sessionId), 'logged-out'],
  'was kicked out': [(s, { sessionId }) => s.kickOut(sessionId), 'kicked-out'],
  'ended with all of its user': [(s, { loginId }) => s.deleteAllSessions(loginId), 'logged-out'],
  'was displaced by a limit': [(s, { loginId }) => s.createSession(loginId), 'limit'],
};

/** What a caller learns with and without the token of a session, and the keys of the stored digests. */
export function describeTokens(context: StorageContext): void {
  const { it } = context.runner;

  /** Asserts that a wrong token is answered as for a session that never existed. */
  const expectUnknown = async (sessions: DistributedSessionManager, sessionId: string) => {
    const unknownId = context.storage.nextSessionId('alice');
    const [found, unknown] = [
      await rejectsWith(sessions.verifySession(`${sessionId}.a-guess-at-the-token-of-alice`), 'ERR_SESSION_NOT_FOUND'),
      await rejectsWith(sessions.verifySession(`${unknownId}.a-guess-at-the-token-of-alice`), 'ERR_SESSION_NOT_FOUND'),
    ];
    assert.equal(found.message.replace(sessionId, unknownId), unknown.message);
    assert.deepEqual(Object.keys(found), Object.keys(unknown));
  };

  /** Creates a session as an earlier build stored it: with the token's SHA-256 in its payload. */
  const createEarlier = async () => {
    const digest = createHash('sha256').update(TOKEN).digest('base64url');
    const payload = { f: 1, t: digest, a: { role: 'admin' }, p: [] };
    return context.create({ payload: Buffer.from(JSON.stringify(payload)) });
  };

  const keyed = async (...tokenKey: string[]) => context.manager({ tokenKey });

  context.topic('tokens', () => {
    it('a token of the caller has at least 22 characters, unless minTokenLength admits shorter ones', async () => {
      const strict = await context.manager();
      for (const token of ['t', 'token456', 'x'.repeat(21), 'a'.repeat(22), 'abcdefgh'.repeat(4)]) {
        const error = await rejectsWith(strict.createSession('user123', token), 'ERR_SESSION_INPUT', {
          field: 'token',
        });
        assert(!error.message.includes(token) || token === 't');
      }
      assert.equal(await strict.countSessions('user123'), 0);
      const binding = await context.manager({ minTokenLength: 8 });
      const { credential, sessionId } = await binding.createSession('user123', 'token456');
      for (const sessions of [binding, strict]) {
        assert.equal((await sessions.verifySession(credential)).sessionId, sessionId);
      }
      await rejectsWith(binding.createSession('user123', 'token45'), 'ERR_SESSION_INPUT', { constraint: 'length' });
    });

    for (const [how, [end, reason]] of Object.entries(ENDINGS)) {
      it(`only the owner of a session that ${how} learns why it ended`, async () => {
        const sessions = await context.manager({ maxSessionsPerLogin: 1 });
        const session = await sessions.createSession('alice');
        await end(sessions, session);
        await rejectsWith(sessions.verifySession(session.credential), 'ERR_SESSION_ENDED', { reason });
        await expectUnknown(sessions, session.sessionId);
      });
    }

    it('only the owner of an expired session learns why it ended, before and after the sweep', async () => {
      const sessions = await context.manager(context.brief);
      const { sessionId, credential } = await sessions.createSession('alice');
      await context.pass(context.times.idle + 1);
      for (const prepare of [async () => undefined, async () => context.sweep()]) {
        await prepare();
        await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_ENDED', { reason: 'idle-timeout' });
        await expectUnknown(sessions, sessionId);
      }
    });

    it('only the previous token of a rotated session is accepted, during and after the grace period', async () => {
      const sessions = await context.manager({ rotationGraceMs: context.times.grace });
      const old = await sessions.createSession('alice');
      const rotated = await sessions.rotateSession(old.sessionId);
      await expectUnknown(sessions, old.sessionId);
      assert.equal((await sessions.verifySession(old.credential)).sessionId, rotated.sessionId);
      await context.pass(context.times.grace + 1);
      await expectUnknown(sessions, old.sessionId);
      await rejectsWith(sessions.verifySession(old.credential), 'ERR_SESSION_ENDED', { reason: 'rotated' });
    });

    it('many late uses of a session are reported once per second, and those with a wrong token never', async () => {
      const sessions = await context.manager();
      const refused: SessionRefusedEvent[] = [];
      sessions.events.on('session.refused').subscribe((event) => refused.push(event));
      const ended = [await sessions.createSession('alice'), await sessions.createSession('alice')];
      await sessions.deleteAllSessions('alice');
      const present = async (tokenOf: (session: IssuedSession) => string) => {
        for (let n = 0; n < 480; n++) {
          for (const session of ended) {
            await sessions.verifySession(`${session.sessionId}.${tokenOf(session)}`).catch(() => undefined);
          }
        }
      };
      await present(() => 'a-guess-at-the-token-of-alice');
      assert.equal(refused.length, 0);
      const [startedAt] = [context.storage.now(), await present(({ token }) => token)];
      const seconds = 1 + Math.floor((context.storage.now() - startedAt) / 1_000);
      assert(refused.length >= ended.length && refused.length <= seconds * ended.length, `${refused.length} events`);
      const before = refused.length;
      await context.pass(1_000);
      await present(({ token }) => token);
      assert(refused.length > before, 'a later use is reported again');
      for (const { sessionId } of ended) {
        const times = refused.filter((event) => event.sessionId === sessionId).map(({ at }) => at);
        assert(times.every((at, n) => n === 0 || at - times[n - 1]! >= 1_000));
      }
    });

    it('the stored digest of one token differs by session and by key', async () => {
      const [plain, other] = [await context.manager(), await keyed(NEW_KEY)];
      for (const sessions of [plain, plain, other, other]) await sessions.createSession('alice', TOKEN);
      const digests = (await context.live()).map(({ tokenDigest }) => tokenDigest);
      assert(digests.every((digest) => digest !== undefined && digest.length <= 128));
      assert.equal(new Set(digests).size, 4);
    });

    it('a token key is changed without a logout: accepted everywhere, then used, then retired', async () => {
      const [first, publishing, using] = [
        await keyed(OLD_KEY),
        await keyed(OLD_KEY, NEW_KEY),
        await keyed(NEW_KEY, OLD_KEY),
      ];
      const [early, late] = [await first.createSession('alice'), await using.createSession('alice')];
      for (const sessions of [publishing, using]) {
        for (const { sessionId, credential } of [early, late]) {
          await sessions.setAttribute(sessionId, 'role', 'admin');
          assert.equal((await sessions.verifySession(credential)).sessionId, sessionId);
          await rejectsWith(sessions.verifySession(`${credential}x`), 'ERR_SESSION_NOT_FOUND');
        }
      }
      const retired = await keyed(NEW_KEY);
      assert.equal((await retired.verifySession(late.credential)).sessionId, late.sessionId);
      await rejectsWith(retired.verifySession(early.credential), 'ERR_KEY_UNAVAILABLE');
      const rotated = await retired.rotateSession(early.sessionId);
      assert.equal((await retired.verifySession(rotated.credential)).sessionId, rotated.sessionId);
    });

    it('a session under an unknown key is unavailable, and not found once it is over', async () => {
      const [owner, plain] = [await keyed(OLD_KEY), await context.manager()];
      const { sessionId, credential } = await owner.createSession('alice');
      for (const text of [credential, `${credential}x`]) {
        await rejectsWith(plain.verifySession(text), 'ERR_KEY_UNAVAILABLE');
      }
      const rotated = await owner.rotateSession(sessionId);
      await rejectsWith(plain.verifySession(credential), 'ERR_KEY_UNAVAILABLE');
      await owner.deleteSession(rotated.sessionId);
      await rejectsWith(plain.verifySession(rotated.credential), 'ERR_SESSION_NOT_FOUND');
    });

    it('the digest of an earlier build is valid, and the next write brings it under the key', async () => {
      const sessions = await keyed(NEW_KEY);
      const { sessionId } = await createEarlier();
      const credential = { sessionId, token: TOKEN };
      assert.equal((await sessions.verifySession(credential)).attributes['role'], 'admin');
      await expectUnknown(sessions, sessionId);
      await sessions.setAttribute(sessionId, 'department', 'sales');
      const stored = await context.storage.get(sessionId);
      assert(stored?.state === 'live' && stored.tokenDigest !== undefined);
      assert(!Buffer.from(stored.payload).includes('"t"'));
      assert.equal((await sessions.verifySession(credential)).attributes['department'], 'sales');
      await sessions.deleteSession(sessionId);
      await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_ENDED', { reason: 'logged-out' });
    });

    it('a digest without a key is brought under the key by the next write', async () => {
      const [plain, other] = [await context.manager(), await keyed(NEW_KEY)];
      const { sessionId, credential } = await plain.createSession('alice');
      await other.setAttribute(sessionId, 'role', 'admin');
      assert.equal((await other.verifySession(credential)).sessionId, sessionId);
      await rejectsWith(plain.verifySession(credential), 'ERR_KEY_UNAVAILABLE');
    });

    it('a tombstone of an earlier build, which has no digest, is answered as an unknown session', async () => {
      const sessions = await context.manager();
      const { sessionId } = await createEarlier();
      await sessions.deleteSession(sessionId);
      await rejectsWith(sessions.verifySession({ sessionId, token: TOKEN }), 'ERR_SESSION_NOT_FOUND');
    });

    it('no session, history entry, list or event contains a digest', async () => {
      const sessions = await context.manager();
      const shown: unknown[] = [];
      sessions.events.all.subscribe((event) => shown.push(event));
      const created = await sessions.createSession('alice');
      const digests = [(await context.storage.get(created.sessionId))!.tokenDigest!];
      const rotated = await sessions.rotateSession(created.sessionId);
      digests.push((await context.storage.get(rotated.sessionId))!.tokenDigest!);
      const late = await sessions
        .deleteSession(rotated.sessionId)
        .then(() => sessions.verifySession(rotated.credential).catch((error: unknown) => error));
      const other = await sessions.createSession('alice');
      digests.push((await context.storage.get(other.sessionId))!.tokenDigest!);
      shown.push(created, rotated, late, await sessions.getSession(other.sessionId));
      shown.push(await sessions.getSessionsByLoginId('alice'), await sessions.getSessionHistory('alice'));
      const text = inspect(shown, { depth: 9, showHidden: true }) + JSON.stringify(shown);
      assert(text.includes('logged-out'));
      for (const digest of digests) assert(!text.includes(digest.slice(-43)));
    });
  });
}
