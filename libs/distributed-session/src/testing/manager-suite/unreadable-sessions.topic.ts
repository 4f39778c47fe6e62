import assert from 'node:assert/strict';
import type { IssuedSession, UnreadableCause } from '../../model/session.js';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import { rejectsWith, textOf } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

const PAYLOADS: Readonly<Record<UnreadableCause, string>> = {
  'newer-format': '{"f":1000,"content":"CANARY of a later release"}',
  corrupt: '{"f":2,"a":"CANARY of a damaged record',
};
const CODES = { 'newer-format': 'ERR_STORAGE_NEWER_FORMAT', corrupt: 'ERR_STORAGE_CORRUPT' } as const;

/** Sessions whose content cannot be read, beside others of the same user; and what later releases add. */
export function describeUnreadableSessions(context: StorageContext): void {
  const { it } = context.runner;

  const write = async (sessionId: string, content: string) => {
    const payload = Buffer.from(content);
    const result = await context.storage.replace({ sessionId, expectedVersion: 1, payload, touch: false, by: 'later' });
    assert.equal(result.outcome, 'replaced');
  };

  /** Three sessions of a user, the content of the second of which becomes unreadable. */
  const three = async (sessions: DistributedSessionManager, cause: UnreadableCause) => {
    const options = { device: 'web', attributes: { role: 'customer' } };
    const issued: IssuedSession[] = [];
    while (issued.length < 3) issued.push(await sessions.createSession('alice', undefined, options));
    await write(issued[1]!.sessionId, PAYLOADS[cause]);
    return issued as [IssuedSession, IssuedSession, IssuedSession];
  };

  context.topic('unreadable sessions', () => {
    for (const cause of Object.keys(PAYLOADS) as UnreadableCause[]) {
      it(`the list marks a session that is unreadable (${cause}), shows the others, and agrees with the counts`, async () => {
        const sessions = await context.manager();
        const issued = await three(sessions, cause);
        const lister = sessions.as({ serviceId: 'lister', permissions: ['session.list'] });
        for (const caller of [sessions, lister]) {
          const listed = await caller.getSessionsByLoginId('alice');
          assert.deepEqual(
            listed.map(({ sessionId, unreadable }) => [sessionId, unreadable]),
            issued.map(({ sessionId }, index) => [sessionId, index === 1 ? cause : undefined]),
          );
          const [, entry] = listed;
          assert(entry && Object.isFrozen(entry) && !('attributes' in entry) && !('tokenDigest' in entry));
          assert.deepEqual([entry.device, entry.serviceId, entry.createdAt], ['web', 'tester', issued[1].createdAt]);
          assert(!JSON.stringify(listed).includes('CANARY'));
        }
        assert.equal(await sessions.countSessions('alice'), 3);
        assert.deepEqual(await sessions.countOnline(), { sessions: 3, logins: 1 });
        assert.deepEqual((await sessions.listLogins()).logins, [{ loginId: 'alice', sessions: 3 }]);
      });

      it(`every read and write of a session that is unreadable (${cause}) rejects with ${CODES[cause]}, and changes nothing`, async () => {
        const sessions = await context.manager();
        const [, { sessionId, credential, version }] = await three(sessions, cause);
        const calls = [
          () => sessions.getSession(sessionId),
          () => sessions.findSession(sessionId),
          () => sessions.refreshSession(sessionId),
          () => sessions.verifySession(credential),
          () => sessions.getAttribute(sessionId, 'role'),
          () => sessions.setAttribute(sessionId, 'role', 'admin'),
          () => sessions.removeAttribute(sessionId, 'role'),
          () => sessions.rotateSession(credential),
          () => sessions.rotateSession(sessionId),
        ];
        for (const call of calls) {
          const { message } = await rejectsWith(call(), CODES[cause]);
          assert(!message.includes('CANARY'));
        }
        const [, stored] = await context.live();
        assert.deepEqual([stored?.version, textOf(stored!.payload)], [version + 1, PAYLOADS[cause]]);
        await rejectsWith(sessions.verifySession({ sessionId, token: 'x'.repeat(43) }), 'ERR_SESSION_NOT_FOUND');
      });

      it(`a session that is unreadable (${cause}) can be ended, alone, with all, at a limit, and excepted`, async () => {
        const sessions = await context.manager({ maxSessionsPerLogin: 3 });
        const ways: ((issued: readonly IssuedSession[]) => Promise<unknown>)[] = [
          ([, { sessionId } = assert.fail()]) => sessions.deleteSession(sessionId),
          ([, { sessionId } = assert.fail()]) => sessions.kickOut(sessionId, { actor: 'root' }),
          () => sessions.deleteAllSessions('alice'),
          async () => {
            for (let created = 0; created < 2; created++) await sessions.createSession('alice');
          },
        ];
        for (const end of ways) {
          const issued = await three(sessions, cause);
          const { sessionId, credential } = issued[1];
          const kept = await sessions.deleteAllSessions('alice', { exceptSessionId: sessionId });
          assert.equal(kept, 2);
          while ((await sessions.countSessions('alice')) < 3) await sessions.createSession('alice');
          await end(issued);
          const listed = await sessions.getSessionsByLoginId('alice');
          assert(listed.every((session) => session.sessionId !== sessionId));
          assert((await sessions.getSessionHistory('alice')).some((entry) => entry.sessionId === sessionId));
          await rejectsWith(sessions.verifySession(credential), 'ERR_SESSION_ENDED');
          assert.equal(await sessions.deleteSession(sessionId), false);
          await sessions.deleteAllSessions('alice');
        }
      });
    }

    it('a write and a rotation keep what a later release has added to a session', async () => {
      const sessions = await context.manager();
      const { sessionId } = await sessions.createSession('alice');
      const added = { scopes: ['all'], note: 'of a later release' };
      const client = { ip: '192.0.2.1', location: 'DE' };
      await write(sessionId, JSON.stringify({ f: 2, a: { role: 'customer' }, c: client, z: added }));
      const read = await sessions.getSession(sessionId);
      assert.deepEqual([{ ...read.attributes }, read.client], [{ role: 'customer' }, { ip: '192.0.2.1' }]);
      await sessions.setAttribute(sessionId, 'role', 'admin');
      await sessions.rotateSession(sessionId);
      const [stored] = await context.live();
      assert.deepEqual(JSON.parse(textOf(stored!.payload)), { f: 2, a: { role: 'admin' }, c: client, z: added });
    });
  });
}
