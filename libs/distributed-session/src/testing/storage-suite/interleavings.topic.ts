import assert from 'node:assert/strict';
import { textOf } from '../assertions.js';
import type { StorageContext } from '../storage-context.js';

type Step = 'replace' | 'touch' | 'rotate' | 'end' | 'end-all' | 'create' | 'list';

const STEPS: readonly Step[] = ['replace', 'touch', 'rotate', 'end', 'end-all', 'create', 'list'];

/** The outcomes of the steps of one run. */
interface Outcomes {
  /** Sessions that were created or that succeeded another. */
  readonly issued: string[];
  /** Sessions whose end was reported to a caller. */
  readonly ended: string[];
  /** Payloads that were written, by session. */
  readonly written: Map<string, string>;
}

/** Concurrent steps of every kind on the sessions of one user. */
export function describeInterleavings(context: StorageContext): void {
  const { it } = context.runner;
  const { retention } = context.times;
  const ending = { reason: 'logged-out', by: 'tester', historyRetentionMs: retention } as const;

  const run = async (step: Step, sessionId: string, payload: string, outcomes: Outcomes): Promise<void> => {
    const { storage } = context;
    const change = { sessionId, expectedVersion: 1, by: 'tester' };
    if (step === 'replace') {
      const result = await storage.replace({ ...change, payload: Buffer.from(payload), touch: true });
      if (result.outcome === 'replaced') outcomes.written.set(sessionId, payload);
    } else if (step === 'touch') {
      await storage.touch([sessionId]);
    } else if (step === 'rotate') {
      const successor = { sessionId: storage.nextSessionId('alice'), payload: Buffer.from(payload) };
      const result = await storage.rotate({ ...change, successor, graceMs: 0, historyRetentionMs: retention });
      if (result.outcome !== 'rotated') return;
      outcomes.ended.push(sessionId);
      outcomes.issued.push(successor.sessionId);
      outcomes.written.set(successor.sessionId, payload);
    } else if (step === 'end') {
      const result = await storage.end({ ...ending, sessionId });
      if (result.outcome === 'ended') outcomes.ended.push(sessionId);
    } else if (step === 'end-all') {
      const tombstones = await storage.endAll({ ...ending, loginId: 'alice' });
      outcomes.ended.push(...tombstones.map((tombstone) => tombstone.sessionId));
    } else if (step === 'create') {
      outcomes.issued.push((await context.create()).sessionId);
    } else {
      for (const { state } of await storage.listByLogin('alice')) assert.equal(state, 'live');
    }
  };

  context.topic('interleavings', () => {
    for (const [name, steps] of [
      ['every step once', STEPS],
      ['every step three times', [...STEPS, ...STEPS, ...STEPS]],
      ['every step but those that end', ['replace', 'touch', 'create', 'replace', 'list', 'create'] as const],
      ['writes and rotations', ['replace', 'rotate', 'replace', 'rotate', 'touch', 'rotate'] as const],
    ] as const) {
      it(`concurrent steps revive, lose or end no session twice: ${name}`, async () => {
        const targets = [(await context.create()).sessionId, (await context.create()).sessionId];
        const outcomes: Outcomes = { issued: [...targets], ended: [], written: new Map() };
        await Promise.all(
          targets.flatMap((sessionId, target) =>
            steps.map(async (step, n) => run(step, sessionId, `${target}-${n}`, outcomes)),
          ),
        );
        await assertConsistent(context, outcomes);
      });
    }
  });
}

async function assertConsistent(context: StorageContext, { issued, ended, written }: Outcomes): Promise<void> {
  const { storage } = context;
  const live = await context.live();
  const history = await storage.listHistory('alice');
  const liveIds = live.map(({ sessionId }) => sessionId);
  assert.equal(new Set(ended).size, ended.length, 'a session was reported as ended twice');
  assert.deepEqual(history.map(({ sessionId }) => sessionId).toSorted(), ended.toSorted(), 'tombstones');
  assert.deepEqual([...liveIds, ...ended].toSorted(), issued.toSorted(), 'every session is either live or ended');
  for (const { sessionId, payload } of live) assert.equal(textOf(payload), written.get(sessionId) ?? 'payload');
  for (const sessionId of issued) {
    assert.equal((await storage.get(sessionId))?.state, liveIds.includes(sessionId) ? 'live' : 'ended');
  }
  assert.deepEqual(await storage.count(), { sessions: live.length, logins: live.length > 0 ? 1 : 0 });
}
