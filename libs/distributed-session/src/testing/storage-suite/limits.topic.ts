import assert from 'node:assert/strict';
import type { SessionRecord, SessionTombstone } from '../../storage/session-record.js';
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

    it('with end-idlest, one session too many ends the least recently used with the reason limit', async () => {
      const limits = { perLogin: 3, onLimit: 'end-idlest' } as const;
      const [first, second, third] = [await created(limits), await created(limits), await created(limits)];
      await context.pass(5);
      await context.storage.touch([first]);
      await context.pass(5);
      const session = (await context.storage.get(second)) as SessionRecord;
      await context.storage.replace({ ...updateOf(session), touch: true });
      await context.storage.replace({ ...updateOf((await context.storage.get(third)) as SessionRecord), touch: false });
      const fourth = await created(limits);
      assert.deepEqual(await listed(), [first, second, fourth]);
      assert.deepEqual(await endOf(third), { reason: 'limit', endedBy: 'tester' });
      await created(limits);
      assert.deepEqual(await endOf(first), { reason: 'limit', endedBy: 'tester' });
    });

    it('with end-idlest and equal accesses, the oldest ends, also after a rotation', async () => {
      const limits = { perLogin: 3, onLimit: 'end-idlest' } as const;
      const [first, second, third] = [await created(limits), await created(limits), await created(limits)];
      const sessionId = context.storage.nextSessionId('alice');
      const rotated = await context.storage.rotate({
        sessionId: first,
        expectedVersion: 1,
        successor: { sessionId, payload: Buffer.from('payload') },
        graceMs: 0,
        by: 'tester',
        historyRetentionMs: context.times.retention,
      });
      assert(rotated.outcome === 'rotated');
      await context.pass(5);
      // Touches in one call are recorded at one time, if the storage makes them one step.
      const times = await context.storage.touch([third, sessionId, second]);
      const accesses = new Map(times.map((time) => [time!.sessionId, time!.lastAccessedAt]));
      const expected = [sessionId, second, third].toSorted((a, b) => accesses.get(a)! - accesses.get(b)!);
      await created({ perLogin: 2, onLimit: 'end-idlest' });
      for (const ended of expected.slice(0, 2)) assert.equal((await endOf(ended)).reason, 'limit');
      assert.equal((await listed()).includes(expected[2]!), true);
    });

    it('with end-idlest, the limit per device replaces the least recently used of the device, then the user', async () => {
      const wide = { perLogin: 10, onLimit: 'end-idlest' } as const;
      const [web, phone, oldPhone] = [await created(wide, 'web'), await created(wide, 'mobile'), await created(wide)];
      const idlePhone = await created(wide, 'mobile');
      await context.pass(5);
      for (const sessionId of [oldPhone, phone, web]) {
        await context.storage.touch([sessionId]);
        await context.pass(5);
      }
      const newPhone = await created({ perLogin: 3, perDevice: 2, onLimit: 'end-idlest' }, 'mobile');
      assert.deepEqual(await listed(), [web, phone, newPhone]);
      assert.equal((await endOf(idlePhone)).reason, 'replaced');
      assert.equal((await endOf(oldPhone)).reason, 'limit');
    });

    it('below the limit, end-idlest ends nothing', async () => {
      const limits = { perLogin: 3, perDevice: 2, onLimit: 'end-idlest' } as const;
      const ids = [await created(limits, 'web'), await created(limits, 'web'), await created(limits)];
      assert.deepEqual(await listed(), ids);
      assert.deepEqual(await context.storage.listHistory('alice'), []);
    });

    it('a login never ends the session whose later access a concurrent touch has recorded', async () => {
      const limits = { perLogin: 2, onLimit: 'end-idlest' } as const;
      const other = context.capabilities.severalInstances ? await context.another() : context.storage;
      for (let round = 0; round < 20; round++) {
        const loginId = `racer-${round}`;
        const [first, second] = [await context.create({ loginId, limits }), await context.create({ loginId, limits })];
        await context.pass(2);
        const [[touched]] = await Promise.all([other.touch([first.sessionId]), context.create({ loginId, limits })]);
        const ids = (await context.storage.listByLogin(loginId)).map(({ sessionId }) => sessionId);
        assert.equal(ids[0], touched ? first.sessionId : second.sessionId);
        assert.equal(ids.length, 2);
      }
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

    for (const onLimit of ['end-oldest', 'end-idlest'] as const) {
      it(`with ${onLimit}, the limit holds at every moment of 50 concurrent logins`, async () => {
        const limits = { perLogin: 5, onLimit };
        const sizes: number[] = [];
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const sessionId = await created(limits);
            sizes.push((await listed()).length);
            await context.storage.touch([sessionId]);
          }),
        );
        assert(Math.max(...sizes) <= 5);
        assert.equal((await listed()).length, 5);
        const history = await context.storage.listHistory('alice');
        assert.equal(history.filter(({ reason }) => reason === 'limit').length, 45);
      });
    }

    it('with reject, exactly as many of 50 concurrent logins succeed as the limit allows', async () => {
      const limits = { perLogin: 5, onLimit: 'reject' } as const;
      const results = await Promise.all(Array.from({ length: 50 }, () => create(limits)));
      assert.equal(results.filter(({ outcome }) => outcome === 'created').length, 5);
      assert.equal((await listed()).length, 5);
    });
  });
}

function updateOf({ sessionId, version }: SessionRecord) {
  return { sessionId, expectedVersion: version, payload: Buffer.from('changed'), by: 'tester' };
}
