import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import type { IssuedSession } from '../../model/session.js';
import { scheduled } from '../scheduled-storage.js';
import type { StorageTestContext } from '../storage-test-context.js';

type Step = 'read' | 'verify' | 'refresh' | 'write' | 'update' | 'rotate' | 'end' | 'end-all' | 'login';

const STEPS = fc.array(
  fc.constantFrom<Step>('read', 'verify', 'refresh', 'write', 'update', 'rotate', 'end', 'end-all', 'login'),
  { minLength: 2, maxLength: 8 },
);

/** What happened, as far as the callers were told. */
interface Log {
  readonly written: string[];
  readonly issued: IssuedSession[];
  ended: boolean;
}

/**
 * Steps of several services on one session, in orders that no clock and no network would show twice: every call to the
 * storage, and every reply, is held back until the scheduler lets it through.
 */
export function describeInterleavings(context: StorageTestContext): void {
  const { it, describe } = context.runner;

  const explore = async (steps: Step[], scheduler: fc.Scheduler): Promise<void> => {
    const plain = await context.manager();
    const storage = scheduled(context.storage, scheduler);
    const services = await Promise.all(
      ['one', 'two'].map((serviceId) => context.manager({ serviceId, storage, touchIntervalMs: 1 })),
    );
    await plain.deleteAllSessions('alice');
    const log: Log = { written: [], issued: [await plain.createSession('alice')], ended: false };
    const runs = steps.map((step, n) => runStep(services[n % 2]!, step, n, log).catch(assertRefusal));
    await scheduler.waitFor(Promise.all(runs));
    await assertConsistent(plain, log);
    for (const manager of services) await scheduler.waitFor(context.close(manager));
  };

  describe('interleavings', () => {
    it('no order of read, write, touch, rotate and end revives a session, halves one or loses a write', async () => {
      await fc.assert(
        fc.asyncProperty(STEPS, fc.scheduler(), (steps, scheduler) => explore(steps, scheduler)),
        { numRuns: context.capabilities.drivenClock ? 300 : 50 },
      );
    });
  });
}

/** Both attributes of a write are there, or neither. */
function assertWhole({ attributes }: { readonly attributes: Readonly<Record<string, unknown>> }): void {
  for (const key of Object.keys(attributes)) {
    const twin = key.replace(/^left|^right/, (side) => (side === 'left' ? 'right' : 'left'));
    assert(Object.hasOwn(attributes, twin), `half of a write: ${key} without ${twin}`);
  }
}

/** The only refusals that these steps may meet. Anything else, an assertion included, is passed on. */
function assertRefusal(error: unknown): void {
  const { code } = error as { code?: string };
  if (code !== 'ERR_SESSION_ENDED' && code !== 'ERR_SESSION_CONFLICT') throw error;
}

const runStep = async (sessions: DistributedSessionManager, step: Step, n: number, log: Log): Promise<void> => {
  const first = log.issued[0]!;
  const { sessionId, credential } = first;
  switch (step) {
    case 'read':
      assertWhole(await sessions.getSession(sessionId));
      return;
    case 'verify':
      assertWhole(await sessions.verifySession(credential));
      return;
    case 'refresh':
      assertWhole(await sessions.refreshSession(sessionId));
      return;
    case 'write':
      await sessions.setAttributes(sessionId, { set: { [`left-${n}`]: n, [`right-${n}`]: n } });
      log.written.push(`left-${n}`, `right-${n}`);
      return;
    case 'update': {
      const read = await sessions.getSession(sessionId);
      await sessions.updateSession({
        ...read,
        attributes: { ...read.attributes, [`left-${n}`]: n, [`right-${n}`]: n },
      });
      log.written.push(`left-${n}`, `right-${n}`);
      return;
    }
    case 'rotate':
      log.issued.push(await sessions.rotateSession(sessionId));
      return;
    case 'end':
      if (await sessions.deleteSession(sessionId)) log.ended = true;
      return;
    case 'end-all':
      if ((await sessions.deleteAllSessions('alice')) > 0) log.ended = true;
      return;
    case 'login':
      await sessions.createSession('bob');
  }
};

const assertConsistent = async (plain: DistributedSessionManager, { issued, written, ended }: Log): Promise<void> => {
  const live = await plain.getSessionsByLoginId('alice');
  assert(live.length <= 1, 'at most one of a session and its rotations lives');
  if (ended) assert.equal(live.length, 0, 'an ended session came back');
  else assert.equal(live.length, 1, 'a session that nobody ended is gone');
  const [session] = live;
  if (session) {
    assertWhole(session);
    for (const key of written) assert(Object.hasOwn(session.attributes, key), `the write of ${key} was lost`);
    assert.equal(session.sessionId, issued.at(-1)!.sessionId, 'what lives is not what was issued last');
  }
  const history = await plain.getSessionHistory('alice');
  for (const { sessionId } of issued) {
    const isLive = session?.sessionId === sessionId;
    assert.equal(
      history.filter((entry) => entry.sessionId === sessionId).length,
      isLive ? 0 : 1,
      'one entry for each end',
    );
  }
};
