import assert from 'node:assert/strict';
import type { Scheduler } from 'fast-check';
import { PackageUnavailableError } from '../../errors/package-unavailable.error.js';
import type { IssuedSession } from '../../model/session.js';
import type { DistributedSessionManager } from '../../session/distributed-session.manager.js';
import type { StorageContext } from '../storage-context.js';
import { scheduled } from './scheduled-storage.js';

const STEPS = ['read', 'verify', 'refresh', 'write', 'update', 'rotate', 'end', 'end-all', 'login'] as const;
type Step = (typeof STEPS)[number];

/** The outcomes that the callers received. */
interface Log {
  readonly written: string[];
  readonly issued: IssuedSession[];
  ended: boolean;
}

/**
 * Steps of two services on one session, in orders that no clock and no network would produce twice: a scheduler holds
 * back every call to the storage, and every reply.
 */
export function describeScheduling(context: StorageContext): void {
  const { it } = context.runner;

  const explore = async (plain: DistributedSessionManager, steps: Step[], scheduler: Scheduler): Promise<void> => {
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

  context.topic('scheduling', () => {
    it('no order of reads, writes, touches, rotations and ends revives or tears a session or loses a write', async () => {
      const fc = await loadFastCheck();
      const plain = await context.manager();
      const steps = fc.array(fc.constantFrom(...STEPS), { minLength: 2, maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(steps, fc.scheduler(), async (run, scheduler) => explore(plain, run, scheduler)),
        { numRuns: context.capabilities.drivenClock ? 300 : 50 },
      );
    });
  });
}

/** Loads fast-check when its only test runs: everything else in this entry point works without it. */
async function loadFastCheck(): Promise<typeof import('fast-check')> {
  try {
    return await import('fast-check');
  } catch (cause) {
    const explanation = 'describeManagerOn() requires it. Install it with "npm install --save-dev fast-check".';
    throw new PackageUnavailableError('fast-check', explanation, { cause });
  }
}

/** A write sets two attributes: a session has both or neither. */
function assertWhole({ attributes }: { readonly attributes: Readonly<Record<string, unknown>> }): void {
  for (const key of Object.keys(attributes)) {
    const twin = key.replace(/^left|^right/, (side) => (side === 'left' ? 'right' : 'left'));
    assert(Object.hasOwn(attributes, twin), `torn write: ${key} without ${twin}`);
  }
}

/** Ignores the errors that these steps may cause. Any other error, an assertion included, is thrown again. */
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
  assert(live.length <= 1, 'a session and its successor are both live');
  if (ended) assert.equal(live.length, 0, 'an ended session was revived');
  else assert.equal(live.length, 1, 'a session was lost');
  const [session] = live;
  if (session) {
    assert(!session.unreadable, 'the live session cannot be read');
    assertWhole(session);
    for (const key of written) assert(Object.hasOwn(session.attributes, key), `the write of ${key} was lost`);
    assert.equal(session.sessionId, issued.at(-1)!.sessionId, 'the live session is not the one issued last');
  }
  const history = await plain.getSessionHistory('alice');
  for (const { sessionId } of issued) {
    const isLive: boolean = session?.sessionId === sessionId;
    assert.equal(
      history.filter((entry) => entry.sessionId === sessionId).length,
      isLive ? 0 : 1,
      'each end has exactly one history entry',
    );
  }
};
