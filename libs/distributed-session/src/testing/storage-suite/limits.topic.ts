import assert from 'node:assert/strict';
import type { SessionTombstone } from '../../storage/session-record.js';
import type { CreateSessionResult, SessionLimits } from '../../storage/session-storage.operations.js';
import type { StorageContext } from '../storage-context.js';

/** Admission under the limits per user and per device. */
export function describeLimits(context: StorageContext): void {
  const { it } = context.runner;
  const create = async (limits: SessionLimits, device?: string): Promise<CreateSessionResult> =>
    context.storage.create(context.creation({ limits, device }));
  const created = async (limits: SessionLimits, device?: string): Promise<string> => {
    const result = await create(limits, device);
    assert(result.outcome === 'created');
    return result.session.sessionId;
  };
  const listed = async () => (await context.storage.listByLogin('alice')).map((session) => session.sessionId);
  const endOf = async (sessionId: string) => {
    const { reason, endedBy } = (await context.storage.get(sessionId)) as SessionTombstone;
    return { reason, endedBy };
  };

  context.topic('limits', () => {
    it('with end-oldest, one session too many ends the oldest with the reason limit', async () => {
      const limits = { perLogin: 2, onLimit: 'end-oldest' } as const;
      const [first, second, third] = [await created(limits), await created(limits), await created(limits)];
      assert.deepEqual(await listed(), [second, third]);
      assert.deepEqual(await endOf(first), { reason: 'limit', endedBy: 'tester' });
    });

    it('the oldest session is the one created first, whichever was accessed last', async () => {
      const limits = { perLogin: 2, onLimit: 'end-oldest' } as const;
      const [first, second] = [await created(limits), await created(limits)];
      await context.pass(5);
      await context.storage.touch([first]);
      const third = await created(limits);
      assert.deepEqual(await listed(), [second, third]);
    });

    it('a lowered limit ends as many sessions as it requires', async () => {
      for (let n = 0; n < 5; n++) await created({ perLogin: 5, onLimit: 'end-oldest' });
      const newest = await created({ perLogin: 1, onLimit: 'end-oldest' });
      assert.deepEqual(await listed(), [newest]);
      assert.equal((await context.storage.listHistory('alice')).length, 5);
    });

    it('with reject, create() returns limit-reached and creates nothing', async () => {
      const limits = { perLogin: 2, onLimit: 'reject' } as const;
      const ids = [await created(limits), await created(limits)];
      assert.deepEqual(await create(limits), { outcome: 'limit-reached', scope: 'login' });
      assert.deepEqual(await listed(), ids);
      assert.deepEqual(await context.storage.listHistory('alice'), []);
    });

    it('the limit per device replaces the session of the same device and no other', async () => {
      const limits = { perLogin: 10, perDevice: 1, onLimit: 'end-oldest' } as const;
      const phone = await created(limits, 'mobile');
      const web = await created(limits, 'web');
      const unlabelled = await created(limits);
      const newPhone = await created(limits, 'mobile');
      assert.deepEqual(await listed(), [web, unlabelled, newPhone]);
      assert.deepEqual(await endOf(phone), { reason: 'replaced', endedBy: 'tester' });
    });

    it('with reject, the limit per device applies to that device only', async () => {
      const limits = { perLogin: 10, perDevice: 1, onLimit: 'reject' } as const;
      await created(limits, 'mobile');
      assert.deepEqual(await create(limits, 'mobile'), { outcome: 'limit-reached', scope: 'device' });
      assert.equal((await create(limits, 'web')).outcome, 'created');
    });

    it('the limit per device applies first, then the limit per user to the rest', async () => {
      const wide = { perLogin: 10, onLimit: 'end-oldest' } as const;
      const [oldest, phone, web] = [await created(wide), await created(wide, 'mobile'), await created(wide, 'web')];
      const newPhone = await created({ perLogin: 2, perDevice: 1, onLimit: 'end-oldest' }, 'mobile');
      assert.deepEqual(await listed(), [web, newPhone]);
      assert.equal((await endOf(phone)).reason, 'replaced');
      assert.equal((await endOf(oldest)).reason, 'limit');
    });

    it('ended and due sessions do not count towards a limit', async () => {
      const limits = { perLogin: 1, onLimit: 'reject' } as const;
      const first = await created(limits);
      const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: context.times.retention } as const;
      await context.storage.end({ sessionId: first, ...ending });
      await context.create({ ...context.brief, limits });
      assert.equal((await create(limits)).outcome, 'limit-reached');
      await context.pass(context.times.idle + 1);
      assert.equal((await create(limits)).outcome, 'created');
    });

    it('sessions of other users do not count towards a limit', async () => {
      const limits = { perLogin: 1, onLimit: 'reject' } as const;
      for (const loginId of ['alice', 'alice2', 'Alice', 'alice ']) await context.create({ loginId, limits });
    });

    it('the limit holds at every moment of 50 concurrent logins', async () => {
      const limits = { perLogin: 5, onLimit: 'end-oldest' } as const;
      const sizes: number[] = [];
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          await created(limits);
          sizes.push((await listed()).length);
        }),
      );
      assert(Math.max(...sizes) <= 5);
      assert.equal((await listed()).length, 5);
      assert.equal((await context.storage.listHistory('alice')).filter(({ reason }) => reason === 'limit').length, 45);
    });

    it('with reject, exactly as many of 50 concurrent logins succeed as the limit allows', async () => {
      const limits = { perLogin: 5, onLimit: 'reject' } as const;
      const results = await Promise.all(Array.from({ length: 50 }, () => create(limits)));
      assert.equal(results.filter(({ outcome }) => outcome === 'created').length, 5);
      assert.equal((await listed()).length, 5);
    });
  });
}
