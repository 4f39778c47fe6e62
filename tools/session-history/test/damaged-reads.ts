import { type Damage, sessionsOf } from './damage.js';

/** Changes of what calls returned about a session, each of which breaks a promise. */
export const DAMAGED_READS: readonly Damage[] = [
  [
    'reads-are-their-own',
    'a read that returns another session',
    /returned session/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readKept), sessionsOf(calls.kickedOut));
    },
  ],
  [
    'reads-are-their-own',
    'a read with the payload of another session',
    /which no call wrote to it/,
    (editor, calls) => {
      Object.assign(editor.call(calls.firstRead).result!.sessions[0]!, { writeId: calls.kept.input.writeId });
    },
  ],
  [
    'reads-are-their-own',
    'a read of half a payload',
    /which no call wrote to it/,
    (editor, calls) => {
      Object.assign(editor.call(calls.firstRead).result!.sessions[0]!, { writeId: 'not a payload: a/1 0f' });
    },
  ],
  [
    'reads-are-their-own',
    'a list with a session of another user',
    /returned session .* of ben/,
    (editor, calls) => {
      editor.call(calls.listed).result!.sessions[0]!.loginId = 'ben';
    },
  ],
  [
    'reads-are-their-own',
    'a session that no call created',
    /no call created it/,
    (editor, calls) => {
      editor.call(calls.readKept).result!.sessions[0]!.sessionId = 'unknown';
    },
  ],
  [
    'reads-are-their-own',
    'a rotation to a session that no call requested',
    /rotated to unknown, which no call requested/,
    (editor, calls) => {
      editor.tombstones(calls.created.input.sessionId, { rotatedTo: 'unknown' });
    },
  ],
  [
    'ended-stays-ended',
    'a session that lives again after its rotation',
    /live after its end had been reported/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), sessionsOf(calls.lastRead));
    },
  ],
  [
    'ended-stays-ended',
    'a session that is listed again after its end',
    /live after its end had been reported/,
    (editor, calls) => {
      editor.finalRead('listByLogin', 'ada').result!.sessions = structuredClone([...sessionsOf(calls.rotated)]);
    },
  ],
  [
    'ended-stays-ended',
    'a tombstone that changes',
    /not always the same/,
    (editor, calls) => {
      Object.assign(editor.call(calls.endedAgain).result!.sessions[0]!, { endedBy: 'a' });
    },
  ],
  [
    'versions-never-go-back',
    'a version that goes back for one client',
    /was at version 6 and later at 2/,
    (editor, calls) => {
      editor.answer(editor.call(calls.lastRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'versions-never-go-back',
    'a version that goes back between two clients',
    /was at version 3 and later at 2/,
    (editor, calls) => {
      editor.answer(editor.call(calls.secondRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'no-update-is-lost',
    'an update that another one overwrites',
    /was written over 2 times/,
    (editor, calls) => {
      const { writeId } = calls.conflict.input;
      const sessions = structuredClone([...sessionsOf(calls.firstUpdate)]).map((seen) => ({ ...seen, writeId }));
      Object.assign(editor.call(calls.conflict), { outcome: 'ok', result: { answer: 'replaced', sessions } });
    },
  ],
  [
    'no-update-is-lost',
    'a later read with the payload of an earlier version',
    /was read with two payloads/,
    (editor, calls) => {
      const { writeId } = calls.firstUpdate.input;
      Object.assign(editor.call(calls.secondRead).result!.sessions[0]!, { writeId });
    },
  ],
  [
    'no-update-is-lost',
    'an update that skips a version',
    /other data than it had written/,
    (editor, calls) => {
      editor.call(calls.secondUpdate).result!.sessions[0]!.version = 4;
    },
  ],
  [
    'no-update-is-lost',
    'a version that no call wrote',
    /no call had written version/,
    (editor, calls) => {
      editor.call(calls.readRotated).result!.sessions[0]!.version = 9;
    },
  ],
  [
    'no-update-is-lost',
    'a conflict with the very version that was expected',
    /was refused although it expected the version/,
    (editor, calls) => {
      editor.call(calls.conflict).result!.sessions[0]!.version = 1;
    },
  ],
  [
    'no-update-is-lost',
    'a session that is written to after its rotation',
    /was rotated at version 6 and read at a later one/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), [{ ...sessionsOf(calls.lastRead)[0], version: 7 }]);
    },
  ],
];
