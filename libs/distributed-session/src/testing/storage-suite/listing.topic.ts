import assert from 'node:assert/strict';
import { rejectsWith, textOf } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

/** Lists of a user's sessions and of the users who are online. */
export function describeListing(context: StorageContext): void {
  const { it } = context.runner;
  const walk = async (limit: number) => {
    const logins: { loginId: string; sessions: number }[] = [];
    let cursor: string | undefined;
    do {
      assert(logins.length < 1_000, 'the pages never end');
      const page = await context.storage.listLogins({ limit, cursor });
      assert(page.logins.length <= limit);
      logins.push(...page.logins);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return logins;
  };

  context.topic('listing', () => {
    it('listByLogin() returns live sessions in creation order, even within one millisecond', async () => {
      const created: string[] = [];
      for (let n = 0; n < 20; n++) created.push((await context.create({ payload: Buffer.from(`${n}`) })).sessionId);
      const listed = await context.live();
      assert.deepEqual(
        listed.map(({ sessionId }) => sessionId),
        created,
      );
      assert.deepEqual(
        listed.map(({ payload }) => textOf(payload)),
        created.map((_, n) => `${n}`),
      );
    });

    it('listByLogin() returns an empty list for a user without sessions', async () => {
      await context.create();
      assert.deepEqual(await context.storage.listByLogin('alic'), []);
      assert.deepEqual(await context.storage.listByLogin('alice\u0000'), []);
    });

    it('listByLogin() returns all of 50 sessions that were created concurrently', async () => {
      const created = await Promise.all(Array.from({ length: 50 }, () => context.create()));
      const listed = await context.storage.listByLogin('alice');
      assert.deepEqual(
        new Set(listed.map(({ sessionId }) => sessionId)),
        new Set(created.map(({ sessionId }) => sessionId)),
      );
    });

    it('listLogins() returns each online user with the number of sessions', async () => {
      await context.create();
      await context.create();
      await context.create({ loginId: 'bob' });
      const logins = await walk(100);
      assert.deepEqual(
        new Map(logins.map(({ loginId, sessions }) => [loginId, sessions])),
        new Map([
          ['alice', 2],
          ['bob', 1],
        ]),
      );
    });

    it('listLogins() omits a user whose sessions have all ended or are due', async () => {
      const { sessionId } = await context.create();
      const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: context.times.retention } as const;
      await context.storage.end({ sessionId, ...ending });
      assert.deepEqual(await walk(10), []);
      await context.create({ ...context.brief, loginId: 'bob' });
      await context.pass(context.times.idle + 1);
      assert.deepEqual(await walk(10), []);
    });

    for (const limit of [1, 7, 1_000]) {
      it(`listLogins() returns every user in pages of ${limit}`, async () => {
        const logins = Array.from({ length: 25 }, (_, n) => `login-${n}`);
        for (const loginId of logins) await context.create({ loginId });
        assert.deepEqual(new Set((await walk(limit)).map(({ loginId }) => loginId)), new Set(logins));
      });
    }

    it('listLogins() misses no user who is online during the whole walk, while others come and go', async () => {
      const steady = Array.from({ length: 12 }, (_, n) => `steady-${n}`);
      const leaving = await Promise.all(steady.map((_, n) => context.create({ loginId: `leaving-${n}` })));
      for (const loginId of steady) await context.create({ loginId });
      const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: context.times.retention } as const;
      const seen = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await context.storage.listLogins({ limit: 3, cursor });
        for (const { loginId } of page.logins) seen.add(loginId);
        cursor = page.nextCursor;
        const gone = leaving.pop();
        if (gone) await context.storage.end({ sessionId: gone.sessionId, ...ending });
        await context.create({ loginId: `coming-${seen.size}` });
      } while (cursor !== undefined && seen.size < 200);
      for (const loginId of steady) assert(seen.has(loginId), `${loginId} was online but is on no page`);
    });

    it('listLogins() rejects a malformed cursor with an error that names it', async () => {
      const malformed = context.storage.listLogins({ limit: 10, cursor: '../not a cursor' });
      await rejectsWith(malformed, 'ERR_SESSION_INPUT', { field: 'cursor' });
    });
  });
}
