import { type Damage, sessionsOf } from './damage.js';

/** Changes of what calls were told of a session, each of which breaks a promise. */
export const DAMAGED_READS: readonly Damage[] = [
  [
    'I1',
    'a read that returns another session',
    /returned session/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readKept), sessionsOf(calls.kickedOut));
    },
  ],
  [
    'I1',
    'a read with the payload of another session',
    /which nobody wrote to it/,
    (editor, calls) => {
      Object.assign(editor.call(calls.firstRead).result!.sessions[0]!, { writeId: calls.kept.input.writeId });
    },
  ],
  [
    'I1',
    'a read of half a payload',
    /which nobody wrote to it/,
    (editor, calls) => {
      Object.assign(editor.call(calls.firstRead).result!.sessions[0]!, { writeId: 'not a payload: a/1 0f' });
    },
  ],
  [
    'I1',
    'a list with a session of another login',
    /returned session .* of ben/,
    (editor, calls) => {
      editor.call(calls.listed).result!.sessions[0]!.loginId = 'ben';
    },
  ],
  [
    'I1',
    'a session that nobody created',
    /nobody created it/,
    (editor, calls) => {
      editor.call(calls.readKept).result!.sessions[0]!.sessionId = 'nobody';
    },
  ],
  [
    'I1',
    'a rotation to a session that nobody asked for',
    /rotated to nobody, which nobody asked for/,
    (editor, calls) => {
      editor.tombstones(calls.created.input.sessionId, { rotatedTo: 'nobody' });
    },
  ],
  [
    'I2',
    'a session that lives again after its rotation',
    /live after its end had been told/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), sessionsOf(calls.lastRead));
    },
  ],
  [
    'I2',
    'a session that is listed again after its end',
    /live after its end had been told/,
    (editor, calls) => {
      editor.quiet('listByLogin', 'ada').result!.sessions = structuredClone([...sessionsOf(calls.rotated)]);
    },
  ],
  [
    'I2',
    'a tombstone that changes',
    /not always the same/,
    (editor, calls) => {
      Object.assign(editor.call(calls.endedAgain).result!.sessions[0]!, { endedBy: 'a' });
    },
  ],
  [
    'I3',
    'a version that goes back before the eyes of one client',
    /was at version 6 and later at 2/,
    (editor, calls) => {
      editor.answer(editor.call(calls.lastRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'I3',
    'a version that goes back only from one client to the next',
    /was at version 3 and later at 2/,
    (editor, calls) => {
      editor.answer(editor.call(calls.secondRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'I4',
    'an update that another one overwrites',
    /was written over 2 times/,
    (editor, calls) => {
      const { writeId } = calls.conflict.input;
      const sessions = structuredClone([...sessionsOf(calls.firstUpdate)]).map((seen) => ({ ...seen, writeId }));
      Object.assign(editor.call(calls.conflict), { outcome: 'ok', result: { answer: 'replaced', sessions } });
    },
  ],
  [
    'I4',
    'a later read with the payload of an earlier version',
    /was read with two payloads/,
    (editor, calls) => {
      const { writeId } = calls.firstUpdate.input;
      Object.assign(editor.call(calls.secondRead).result!.sessions[0]!, { writeId });
    },
  ],
  [
    'I4',
    'an update that skips a version',
    /something else than what it had written/,
    (editor, calls) => {
      editor.call(calls.secondUpdate).result!.sessions[0]!.version = 4;
    },
  ],
  [
    'I4',
    'a version that nobody wrote',
    /nobody had written version/,
    (editor, calls) => {
      editor.call(calls.readRotated).result!.sessions[0]!.version = 9;
    },
  ],
  [
    'I4',
    'a conflict with the very version that was expected',
    /was refused although it expected the version/,
    (editor, calls) => {
      editor.call(calls.conflict).result!.sessions[0]!.version = 1;
    },
  ],
  [
    'I4',
    'a session that is written to after its rotation',
    /was rotated at version 6 and read at a later one/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), [{ ...sessionsOf(calls.lastRead)[0], version: 7 }]);
    },
  ],
];
