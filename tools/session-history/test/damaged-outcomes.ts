import { type Damage, sessionsOf } from './damage.js';

/** Changes of times and of outcomes, each of which breaks a promise. */
export const DAMAGED_OUTCOMES: readonly Damage[] = [
  [
    'I5',
    'a session that is read as live after its end',
    /was found live by a call that began/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readDue), sessionsOf(calls.readShort));
    },
  ],
  [
    'I5',
    'a session that is accessed back to life',
    /was due at .* and was accessed at/,
    (editor, calls) => {
      const [times] = editor.call(calls.touchedShort).result!.times!;
      times!.lastAccessedAt += 60;
      times!.expiresAt += 60;
    },
  ],
  [
    'I5',
    'an end that no access granted',
    /which no access had granted/,
    (editor, calls) => {
      Object.assign(editor.call(calls.readShort).result!.sessions[0]!, { expiresAt: 1 + calls.readDue.clockAtStart });
    },
  ],
  [
    'I5',
    'a session that times out although an access had prolonged it',
    /was granted to live until/,
    (editor, calls) => {
      const { sessionId } = calls.shortLived.input;
      editor.tombstones(sessionId, { endedAt: calls.shortLived.clockAtStart + 100 });
    },
  ],
  [
    'I5',
    'a session that is ended by a caller when it is already due',
    /which was not before its time/,
    (editor, calls) => {
      const { sessionId } = calls.shortLived.input;
      editor.tombstones(sessionId, { reason: 'logged-out' });
    },
  ],
  [
    'I5',
    'an absolute end that moves',
    /absolute end of session .* moved/,
    (editor, calls) => {
      Object.assign(editor.call(calls.secondRead).result!.sessions[0]!, { absoluteExpiresAt: 1 });
    },
  ],
  [
    'I5',
    'a time-out that is told before its moment',
    /before that moment had come/,
    (editor, calls) => {
      Object.assign(editor.call(calls.readDue).result!.sessions[0]!, { endedAt: calls.readDue.clockAtEnd! + 1 });
    },
  ],
  [
    'I6',
    'a write that is read although it was not applied',
    /told not to have been applied/,
    (editor, calls) => {
      const { writeId } = calls.notApplied.input;
      Object.assign(editor.call(calls.lastRead).result!.sessions[0]!, { version: 7, writeId });
    },
  ],
  [
    'I6',
    'a refused write that is read',
    /told not to have been applied/,
    (editor, calls) => {
      const { writeId } = calls.conflict.input;
      Object.assign(editor.call(calls.readMeanwhile).result!.sessions[0]!, { writeId });
    },
  ],
  [
    'I6',
    'an acknowledged write that a later read does not see',
    /was not seen by a later read/,
    (editor, calls) => {
      editor.answer(editor.call(calls.secondRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'I6',
    'a session that is gone although nobody ended it',
    /was gone although nobody/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readKept), []);
    },
  ],
  [
    'I6',
    'a session that is read although it was not created',
    /creation had not been applied/,
    (editor, calls) => {
      const { sessionId, writeId } = calls.notCreated.input;
      const [kept] = sessionsOf(calls.kept);
      editor.answer(editor.quiet('get', sessionId), [{ ...kept, sessionId, writeId }]);
    },
  ],
  [
    'I6',
    'the end of a session that was not created',
    /creation had not been applied/,
    (editor, calls) => {
      const { sessionId } = calls.notCreated.input;
      const [kickedOut] = sessionsOf(calls.endedAll);
      editor.answer(editor.quiet('get', sessionId), [{ ...kickedOut, sessionId }]);
    },
  ],
  [
    'I6',
    'the end by a call that had been refused',
    /told not to have been applied/,
    (editor, calls) => {
      const { successorId } = calls.rotated.input;
      editor.tombstones(successorId, { actor: calls.endedAgain.input.writeId });
    },
  ],
  [
    'I6',
    'an error that does not say what became of the write',
    /rejected with TypeError/,
    (editor, calls) => {
      Object.assign(editor.call(calls.neverCreated), { error: 'TypeError' });
    },
  ],
];
