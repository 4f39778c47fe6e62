import { isDeepStrictEqual } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SessionRecord } from 'nestjs-distributed-session/storage';
import { eventually } from '@distributed-session/test-servers/eventually.js';
import { usePostgresPair } from '../support/postgres/use-postgres-pair.js';
import { settle, type SettledCall } from '../support/storage/settled-call.js';
import { slackMs } from '../support/storage/slack.js';
import { created, creation, READS, RETENTION_MS, WRITES } from '../support/storage/storage-calls.js';

/** A touch makes two round trips: the second must have enough of the deadline left on a busy machine. */
const DEADLINE_MS = 4_000;
const LOCK_TIMEOUT = /timed out waiting for a lock held by another transaction/u;
const SWEEP = { limit: 10, historyRetentionMs: RETENTION_MS };

type Write = keyof typeof WRITES;
type Read = keyof typeof READS;

const ALL = Object.keys(WRITES) as Write[];
/** The operations that change an existing session. */
const CHANGES = ALL.filter((name) => name !== 'create');
const HOLD_ROWS = 'SELECT FROM distributed_session WHERE session_id = ANY ($1) FOR UPDATE';

const context = usePostgresPair({ deadlineMs: DEADLINE_MS });
/** A session of its own user for each operation. */
let sessions: Record<Write, SessionRecord>;
/** The same, for sessions that nothing locks. */
let others: Record<Write, SessionRecord>;

beforeEach(async () => {
  [sessions, others] = [await sessionForEach('held'), await sessionForEach('free')];
});

describe('while another transaction holds rows of sessions', () => {
  test('changes to these sessions are rejected by their deadline, and succeed once the rows are released', async () => {
    await whileHeld(HOLD_ROWS, [idsOf(sessions)], async () => {
      expect(await notRejected(CHANGES)).toEqual([]);
      expect(await unread(sessions.end)).toEqual([]);
    });
    expect(await changed(CHANGES)).toEqual([]);
    expect(await failed(CHANGES, sessions)).toEqual([]);
  });

  test('all other sessions can be changed, and sessions of the same users can be created', async () => {
    await whileHeld(HOLD_ROWS, [idsOf(sessions)], async () => {
      const rejected = notRejected(CHANGES);
      expect(await failed(ALL, others)).toEqual([]);
      expect(await failed(['create'], sessions)).toEqual([]);
      expect(await rejected).toEqual([]);
    });
  });

  test('the other sessions of a batch are touched', async () => {
    const batch = [others.end.sessionId, sessions.touch.sessionId, others.touch.sessionId];
    await whileHeld(HOLD_ROWS, [[sessions.touch.sessionId]], async () => {
      const touching = settle(() => context.pair.storage.touch(batch));
      // No other session waits for the one that is held, not even the one after it.
      await eventually(async () => {
        const found = await Promise.all(
          [others.end, others.touch].map(({ sessionId }) => context.pair.witness.get(sessionId)),
        );
        return found.every((each) => (each as SessionRecord).lastAccessedAt > others.touch.lastAccessedAt);
      });
      expect(await context.server.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).toHaveLength(1);
      expect(await touching).toMatchObject({ outcome: 'ERR_STORAGE_UNAVAILABLE' });
      expect(await changed(['touch'])).toEqual([]);
    });
    expect(await context.pair.storage.touch(batch)).toEqual(
      batch.map((sessionId) => expect.objectContaining({ sessionId }) as unknown),
    );
  });

  test('a sweep expires the other due sessions, and the held ones once they are released', async () => {
    const brief = async (user: string) => {
      const wanted = { ...creation(context.pair.witness, user), idleTimeoutMs: 1 };
      await context.pair.witness.create(wanted);
      return wanted;
    };
    const [held, free] = [await brief('due-held'), await brief('due-free')];
    await whileHeld(HOLD_ROWS, [[held.sessionId]], async () => {
      expect(await context.pair.storage.sweep(SWEEP)).toBe(1);
      expect(await context.pair.witness.listHistory(free.loginId)).toHaveLength(1);
      // The transaction may have extended it, so it is not reported as ended.
      expect(await settle(() => context.pair.storage.get(held.sessionId))).toMatchObject({
        outcome: 'ERR_STORAGE_UNAVAILABLE',
        message: expect.stringMatching(LOCK_TIMEOUT),
      });
    });
    expect(await context.pair.storage.get(held.sessionId)).toMatchObject({ state: 'ended', reason: 'idle-timeout' });
    expect(await context.pair.storage.sweep(SWEEP)).toBe(1);
    expect(await context.pair.witness.listHistory(held.loginId)).toHaveLength(1);
  });
});

describe('while another transaction holds the locks of users', () => {
  test('operations that create or end their sessions are rejected, and all others succeed', async () => {
    const logins = Object.values(sessions).map(({ loginId }) => loginId);
    const lock = `SELECT FROM distributed_session_lock
      WHERE number IN (SELECT distributed_login_lock(login_id) FROM unnest($1::text[]) AS login_id) FOR UPDATE`;
    await whileHeld(lock, [logins], async () => {
      const rejected = notRejected(['create', 'rotate', 'end', 'endAll']);
      expect(await failed(ALL, others)).toEqual([]);
      expect(await failed(['replace', 'touch'], sessions)).toEqual([]);
      expect(await unread(sessions.end)).toEqual([]);
      expect(await rejected).toEqual([]);
    });
    expect(await failed(['create', 'rotate', 'end', 'endAll'], sessions)).toEqual([]);
  });
});

describe('while another transaction holds the counts', () => {
  test('operations that change the counts are rejected, all others succeed, and the counts stay correct', async () => {
    const before = await context.pair.witness.count();
    await whileHeld('SELECT FROM distributed_session_count FOR UPDATE', [], async () => {
      const rejected = notRejected(['create', 'end', 'endAll']);
      expect(await failed(['replace', 'touch', 'rotate'], others)).toEqual([]);
      expect(await unread(sessions.end)).toEqual([]);
      expect(await rejected).toEqual([]);
    });
    expect(await context.pair.witness.count()).toEqual(before);
    expect(await failed(['create', 'end', 'endAll'], sessions)).toEqual([]);
    expect(await context.pair.witness.count()).toEqual({ sessions: before.sessions - 1, logins: before.logins - 2 });
  });
});

describe('without the rows that are locked', () => {
  test('operations that create or end sessions are rejected, instead of running without a lock', async () => {
    await context.server.use(
      async (client) => client.query('DELETE FROM distributed_session_lock'),
      context.pair.database,
    );
    const settled = await call(['create', 'rotate', 'end', 'endAll'], sessions);
    for (const { outcome, message } of Object.values(settled)) {
      expect({ outcome, message }).toEqual({
        outcome: 'ERR_STORAGE_UNAVAILABLE',
        message: expect.stringContaining('docs/postgres.md shows how to restore them'),
      });
    }
    expect(await changed(['create', 'rotate', 'end', 'endAll'])).toEqual([]);
  });
});

async function sessionForEach(user: string): Promise<Record<Write, SessionRecord>> {
  const names = Object.keys(WRITES) as Write[];
  const entries = names.map(async (name) => [name, await created(context.pair.witness, `${user}-${name}`)] as const);
  return Object.fromEntries(await Promise.all(entries)) as Record<Write, SessionRecord>;
}

/** Does the work while another transaction holds what this statement locks. */
async function whileHeld(lock: string, values: readonly unknown[], work: () => Promise<void>): Promise<void> {
  await context.server.use(async (client) => {
    await client.query('BEGIN');
    await client.query(lock, [...values]);
    await work();
    await client.query('ROLLBACK');
  }, context.pair.database);
}

/** Makes these calls simultaneously, each on its own session. */
async function call(names: readonly Write[], on: Record<Write, SessionRecord>): Promise<Record<string, SettledCall>> {
  const entries = names.map(
    async (name) => [name, await settle(() => WRITES[name](context.pair.storage, on[name]))] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** The calls that end after their deadline, do not report the lock, or have changed something. */
async function notRejected(names: readonly Write[]): Promise<string[]> {
  const errors = Object.entries(await call(names, sessions)).flatMap(([name, { outcome, message, ms }]) => {
    const isRejected = outcome === 'ERR_STORAGE_UNAVAILABLE' && LOCK_TIMEOUT.test(message ?? '');
    return isRejected && ms < DEADLINE_MS + slackMs() ? [] : [`${name}: ${outcome} (${message}) after ${ms} ms`];
  });
  return [...errors, ...(await changed(names))];
}

/** The sessions that have changed. */
async function changed(names: readonly Write[]): Promise<string[]> {
  const found = await Promise.all(names.map(async (name) => context.pair.witness.listByLogin(sessions[name].loginId)));
  return names.filter((name, index) => !isDeepStrictEqual(found[index], [sessions[name]]));
}

/** The calls that fail. */
async function failed(names: readonly Write[], on: Record<Write, SessionRecord>): Promise<string[]> {
  const calls = Object.entries(await call(names, on));
  return calls.filter(([, { outcome }]) => outcome.startsWith('ERR_')).map(([name]) => name);
}

/** The reads that fail. */
async function unread(on: SessionRecord): Promise<string[]> {
  const names = Object.keys(READS) as Read[];
  const calls = await Promise.all(names.map(async (name) => settle(() => READS[name](context.pair.storage, on))));
  return names.filter((_, index) => calls[index]!.outcome !== 'read');
}

function idsOf(of: Record<Write, SessionRecord>): string[] {
  return Object.values(of).map(({ sessionId }) => sessionId);
}
