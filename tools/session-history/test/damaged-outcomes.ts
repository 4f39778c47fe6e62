import { type Damage, sessionsOf } from './damage.js';

/** Changes of times and of outcomes, each of which breaks a promise. */
export const DAMAGED_OUTCOMES: readonly Damage[] = [
  [
    'nothing-outlives-its-end',
    'a session that is read as live after its end',
    /was found live by a call that began/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readDue), sessionsOf(calls.readShort));
    },
  ],
  [
    'nothing-outlives-its-end',
    'a session that an access revives',
    /was due at .* and was accessed at/,
    (editor, calls) => {
      const [times] = editor.call(calls.touchedShort).result!.times!;
      times!.lastAccessedAt += 60;
      times!.expiresAt += 60;
    },
  ],
  [
    'nothing-outlives-its-end',
    'an end that no access set',
    /which no access had set/,
    (editor, calls) => {
      Object.assign(editor.call(calls.readShort).result!.sessions[0]!, { expiresAt: 1 + calls.readDue.clockAtStart });
    },
  ],
  [
    'nothing-outlives-its-end',
    'a session that times out although an access had extended it',
    /an access had extended it to/,
    (editor, calls) => {
      const { sessionId } = calls.shortLived.input;
      editor.tombstones(sessionId, { endedAt: calls.shortLived.clockAtStart + 100 });
    },
  ],
  [
    'nothing-outlives-its-end',
    'a session that is ended by a caller when it is already due',
    /when it was already due/,
    (editor, calls) => {
      const { sessionId } = calls.shortLived.input;
      editor.tombstones(sessionId, { reason: 'logged-out' });
    },
  ],
  [
    'nothing-outlives-its-end',
    'an absolute end that moves',
    /absolute end of session .* moved/,
    (editor, calls) => {
      Object.assign(editor.call(calls.secondRead).result!.sessions[0]!, { absoluteExpiresAt: 1 });
    },
  ],
  [
    'nothing-outlives-its-end',
    'a timeout that is reported early',
    /before that time/,
    (editor, calls) => {
      Object.assign(editor.call(calls.readDue).result!.sessions[0]!, { endedAt: calls.readDue.clockAtEnd! + 1 });
    },
  ],
  [
    'applied-means-visible',
    'a write that is read although it was not applied',
    /reported as not applied/,
    (editor, calls) => {
      const { writeId } = calls.notApplied.input;
      Object.assign(editor.call(calls.lastRead).result!.sessions[0]!, { version: 7, writeId });
    },
  ],
  [
    'applied-means-visible',
    'a refused write that is read',
    /reported as not applied/,
    (editor, calls) => {
      const { writeId } = calls.conflict.input;
      Object.assign(editor.call(calls.readMeanwhile).result!.sessions[0]!, { writeId });
    },
  ],
  [
    'applied-means-visible',
    'an acknowledged write that a later read does not see',
    /was not seen by a later read/,
    (editor, calls) => {
      editor.answer(editor.call(calls.secondRead), sessionsOf(calls.firstRead));
    },
  ],
  [
    'applied-means-visible',
    'a session that is gone although no call ended it',
    /was gone although no call/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readKept), []);
    },
  ],
  [
    'applied-means-visible',
    'a session that is read although it was not created',
    /creation had not been applied/,
    (editor, calls) => {
      const { sessionId, writeId } = calls.notCreated.input;
      const [kept] = sessionsOf(calls.kept);
      editor.answer(editor.finalRead('get', sessionId), [{ ...kept, sessionId, writeId }]);
    },
  ],
  [
    'applied-means-visible',
    'the end of a session that was not created',
    /creation had not been applied/,
    (editor, calls) => {
      const { sessionId } = calls.notCreated.input;
      const [kickedOut] = sessionsOf(calls.endedAll);
      editor.answer(editor.finalRead('get', sessionId), [{ ...kickedOut, sessionId }]);
    },
  ],
  [
    'applied-means-visible',
    'an end by a refused call',
    /reported as not applied/,
    (editor, calls) => {
      const { successorId } = calls.rotated.input;
      editor.tombstones(successorId, { actor: calls.endedAgain.input.writeId });
    },
  ],
  [
    'applied-means-visible',
    'an error that does not state the outcome of the write',
    /rejected with TypeError/,
    (editor, calls) => {
      Object.assign(editor.call(calls.neverCreated), { error: 'TypeError' });
    },
  ],
];
