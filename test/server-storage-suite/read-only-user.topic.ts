import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { SessionStorage } from 'nestjs-distributed-session';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { SERVICE, SERVICE_READS, SERVICE_WRITES } from '../support/storage/service-calls.js';
import { slackMs } from '../support/storage/slack.js';
import { created, creation, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

/** A server with a user that may only read. */
export interface ReadOnlyUserTarget {
  /** Returns a connected storage of a user that may write. */
  readonly owner: () => Promise<SessionStorage>;
  /** Connects a storage of the user that may only read. */
  readonly reader: () => Promise<SessionStorage>;
  /** The solution in the errors of its writes. */
  readonly solution: string;
  /** The note of its health. */
  readonly note: string;
  /** Whether the user may read services, with the hashes of their secrets. Default: it may. */
  readonly readsServices?: boolean;
}

/** Describes what a storage does for a user that may only read. */
export function describeReadOnlyUser(
  storage: string,
  { owner, reader, solution, note, readsServices = true }: ReadOnlyUserTarget,
): void {
  describe(`${storage} of a user that may only read`, () => {
    const ending = { reason: 'logged-out', historyRetentionMs: RETENTION_MS, by: 'tests' } as const;

    test(`reads sessions${readsServices ? ' and services' : ''}`, async () => {
      const [writer, readOnly] = [await owner(), await reader()];
      const loginId = user('carol');
      const { sessionId } = await created(writer, loginId);
      await writer.services.put({ ...SERVICE, replace: true });
      expect(await readOnly.get(sessionId)).toMatchObject({ state: 'live', loginId });
      expect(await readOnly.listByLogin(loginId)).toMatchObject([{ sessionId }]);
      expect(await readOnly.count()).toEqual(await writer.count());
      const { logins } = await readOnly.listLogins({ limit: 1_000 });
      expect(logins).toContainEqual({ loginId, sessions: 1 });
      for (const read of readsServices ? Object.values(SERVICE_READS) : [])
        expect(await read(readOnly)).toEqual(await read(writer));
      await writer.end({ ...ending, sessionId });
      expect(await readOnly.listHistory(loginId)).toMatchObject([{ sessionId, reason: 'logged-out' }]);
      expect(Math.abs(readOnly.now() - writer.now())).toBeLessThan(slackMs());
    });

    test("receives other users' changes", async () => {
      const [writer, readOnly] = [await owner(), await reader()];
      const received: string[] = [];
      readOnly.changes(({ type }) => received.push(type));
      const { sessionId } = await created(writer, user('dave'));
      await writer.end({ ...ending, sessionId });
      await eventually(() => received.includes('session.ended'));
      expect(received).toEqual(['session.created', 'session.ended']);
      await eventually(() => readOnly.feedLagMs() < 5_000);
    });

    test('reads a session as expired from the moment of its expiry', async () => {
      const [writer, readOnly] = [await owner(), await reader()];
      const loginId = user('erin');
      const brief = { ...creation(writer, loginId), idleTimeoutMs: 200 };
      const { sessionId } = brief;
      await writer.create(brief);
      await eventually(async () => (await readOnly.get(sessionId))?.state === 'ended');
      expect(await readOnly.get(sessionId)).toMatchObject({ reason: 'idle-timeout', endedBy: '@expiry' });
      expect(await readOnly.listByLogin(loginId)).toEqual([]);
      expect(await readOnly.listHistory(loginId)).toMatchObject([{ sessionId, reason: 'idle-timeout' }]);
    });

    test('rejects every write as not applied', async () => {
      const [writer, readOnly] = [await owner(), await reader()];
      const loginId = user('frank');
      const session = await created(writer, loginId);
      await writer.services.put({ ...SERVICE, replace: true });
      const before = [await writer.listByLogin(loginId), await writer.services.list()];
      const writes = [
        ...Object.values(WRITES).map(async (write) => write(readOnly, session)),
        ...Object.values(SERVICE_WRITES).map(async (write) => write(readOnly)),
      ];
      for (const result of await Promise.allSettled(writes)) {
        const reason = { code: 'ERR_STORAGE_UNAVAILABLE', message: expect.stringContaining(solution) };
        expect(result).toMatchObject({ status: 'rejected', reason });
      }
      expect([await writer.listByLogin(loginId), await writer.services.list()]).toEqual(before);
      expect(await readOnly.ping()).toMatchObject({ writable: false, notes: [expect.stringContaining(note)] });
      expect(await writer.ping()).toEqual({ writable: true, notes: [] });
    });
  });
}

/** A user that no other test uses. */
function user(login: string): string {
  return `${login}-${randomUUID()}`;
}
