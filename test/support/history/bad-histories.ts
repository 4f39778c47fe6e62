import type { recordGoodHistory } from './good-history.js';
import type { HistoryEditor } from './edit-history.js';
import type { InvariantId } from './invariants/invariant.js';

export type GoodCalls = Awaited<ReturnType<typeof recordGoodHistory>>['calls'];

/** What makes a good history untrue, the invariant that it breaks, and how. */
export type Damage = readonly [InvariantId, string, (editor: HistoryEditor, calls: GoodCalls) => void];

const sessionsOf = ({ result }: GoodCalls[keyof GoodCalls]) => result?.sessions ?? [];

/** Changes of what calls were told, each of which breaks a promise. */
export const DAMAGED_CALLS: readonly Damage[] = [
  [
    'I1',
    'a read that returns another session',
    (editor, calls) => {
      editor.answer(editor.call(calls.readKept), sessionsOf(calls.kickedOut));
    },
  ],
  [
    'I1',
    'a read with the payload of another session',
    (editor, calls) => {
      Object.assign(editor.call(calls.firstRead).result!.sessions[0]!, { writeId: calls.kept.input.writeId });
    },
  ],
  [
    'I1',
    'a read of half a payload',
    (editor, calls) => {
      Object.assign(editor.call(calls.firstRead).result!.sessions[0]!, { writeId: 'not a payload: a/1 0f' });
    },
  ],
  [
    'I1',
    'a list with a session of another login',
    (editor, calls) => {
      editor.call(calls.listed).result!.sessions[0]!.loginId = 'ben';
    },
  ],
  [
    'I1',
    'a session that nobody created',
    (editor, calls) => {
      editor.call(calls.readKept).result!.sessions[0]!.sessionId = 'nobody';
    },
  ],
  [
    'I2',
    'a session that lives again after its rotation',
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), sessionsOf(calls.lastRead));
    },
  ],
  [
    'I2',
    'a session that is listed again after its end',
    (editor, calls) => {
      editor.quiet('listByLogin', 'ada').result!.sessions = structuredClone([...sessionsOf(calls.rotated)]);
    },
  ],
  [
    'I2',
    'a tombstone that changes',
    (editor, calls) => {
      Object.assign(editor.call(calls.endedAgain).result!.sessions[0]!, { endedBy: 'a' });
    },
  ],
  [
    'I3',
    'a version that goes back before the eyes of one client',
    (editor, calls) => {
      editor.answer(editor.call(calls.lastRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'I3',
    'a version that goes back only from one client to the next',
    (editor, calls) => {
      editor.answer(editor.call(calls.secondRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'I4',
    'an update that another one overwrites',
    (editor, calls) => {
      const { writeId } = calls.conflict.input;
      const sessions = structuredClone([...sessionsOf(calls.firstUpdate)]).map((seen) => ({ ...seen, writeId }));
      Object.assign(editor.call(calls.conflict), { outcome: 'ok', result: { answer: 'replaced', sessions } });
    },
  ],
  [
    'I4',
    'a later read with the payload of an earlier version',
    (editor, calls) => {
      const { writeId } = calls.firstUpdate.input;
      Object.assign(editor.call(calls.secondRead).result!.sessions[0]!, { writeId });
    },
  ],
  [
    'I4',
    'an update that skips a version',
    (editor, calls) => {
      editor.call(calls.secondUpdate).result!.sessions[0]!.version = 4;
    },
  ],
  [
    'I4',
    'a version that nobody wrote',
    (editor, calls) => {
      editor.call(calls.readRotated).result!.sessions[0]!.version = 9;
    },
  ],
  [
    'I4',
    'a conflict with the very version that was expected',
    (editor, calls) => {
      editor.call(calls.conflict).result!.sessions[0]!.version = 1;
    },
  ],
  [
    'I5',
    'a session that is read as live after its end',
    (editor, calls) => {
      editor.answer(editor.call(calls.readDue), sessionsOf(calls.readShort));
    },
  ],
  [
    'I5',
    'a session that is accessed back to life',
    (editor, calls) => {
      const [times] = editor.call(calls.touchedShort).result!.times!;
      times!.lastAccessedAt += 60;
      times!.expiresAt += 60;
    },
  ],
  [
    'I5',
    'an end that no access granted',
    (editor, calls) => {
      Object.assign(editor.call(calls.readShort).result!.sessions[0]!, { expiresAt: 1 + calls.readDue.clockAtStart });
    },
  ],
  [
    'I5',
    'a session that times out although an access had prolonged it',
    (editor, calls) => {
      const { sessionId } = calls.shortLived.input;
      editor.tombstones(sessionId, { endedAt: calls.shortLived.clockAtStart + 100 });
    },
  ],
  [
    'I5',
    'a session that is ended by a caller when it is already due',
    (editor, calls) => {
      const { sessionId } = calls.shortLived.input;
      editor.tombstones(sessionId, { reason: 'logged-out' });
    },
  ],
  [
    'I5',
    'an absolute end that moves',
    (editor, calls) => {
      Object.assign(editor.call(calls.secondRead).result!.sessions[0]!, { absoluteExpiresAt: 1 });
    },
  ],
  [
    'I6',
    'a write that is read although it was not applied',
    (editor, calls) => {
      const { writeId } = calls.notApplied.input;
      Object.assign(editor.call(calls.lastRead).result!.sessions[0]!, { version: 7, writeId });
    },
  ],
  [
    'I6',
    'a refused write that is read',
    (editor, calls) => {
      const { writeId } = calls.conflict.input;
      Object.assign(editor.call(calls.readMeanwhile).result!.sessions[0]!, { writeId });
    },
  ],
  [
    'I6',
    'an acknowledged write that a later read does not see',
    (editor, calls) => {
      editor.answer(editor.call(calls.secondRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'I6',
    'a session that is gone although nobody ended it',
    (editor, calls) => {
      editor.answer(editor.call(calls.readKept), []);
    },
  ],
  [
    'I6',
    'a session that is read although it was not created',
    (editor, calls) => {
      const { sessionId, writeId } = calls.notCreated.input;
      const [kept] = sessionsOf(calls.kept);
      editor.answer(editor.quiet('get', sessionId), [{ ...kept, sessionId, writeId }]);
    },
  ],
  [
    'I6',
    'the end by a call that had been refused',
    (editor, calls) => {
      const { successorId } = calls.rotated.input;
      editor.tombstones(successorId, { actor: calls.endedAgain.input.writeId });
    },
  ],
  [
    'I6',
    'an error that does not say what became of the write',
    (editor, calls) => {
      Object.assign(editor.call(calls.neverCreated), { error: 'TypeError' });
    },
  ],
];
