import { type Damage, sessionsOf } from './damage.js';

/** Changes of lists, counts, histories and feeds, each of which breaks a promise. */
export const DAMAGED_LISTS_AND_FEEDS: readonly Damage[] = [
  [
    'reads-are-their-own',
    'a feed that delivers a session as one of another user',
    /received session .* as one of zoe/,
    (editor, calls) => {
      Object.assign(editor.received('b', calls.created.input.sessionId)[1]!.change, { loginId: 'zoe' });
    },
  ],
  [
    'ended-stays-ended',
    'a read that finds a session live after the feed has delivered its end',
    /live after its end had been reported/,
    (editor, calls) => {
      const end = editor.received('a', calls.created.input.sessionId).at(-1);
      end!.at = calls.notApplied.endedAt!;
    },
  ],
  [
    'versions-never-go-back',
    'a feed that delivers versions in the wrong order',
    /in the wrong order/,
    (editor, calls) => {
      const [, first, second] = editor.received('b', calls.created.input.sessionId);
      [first!.change, second!.change] = [second!.change, first!.change];
    },
  ],
  [
    'lists-are-the-live-sessions',
    'a list that lacks a live session',
    /lacked the live session/,
    (editor) => {
      editor.finalRead('listByLogin', 'cleo').result!.sessions = [];
    },
  ],
  [
    'lists-are-the-live-sessions',
    'an early list that lacks a live session',
    /lacked the live session/,
    (editor, calls) => {
      editor.call(calls.listed).result!.sessions = [];
    },
  ],
  [
    'lists-are-the-live-sessions',
    'a list that names a session twice',
    /named a session twice/,
    (editor) => {
      const { sessions } = editor.finalRead('listByLogin', 'cleo').result!;
      sessions.push(...sessions);
    },
  ],
  [
    'lists-are-the-live-sessions',
    'a list that names what has ended',
    /which was not live/,
    (editor, calls) => {
      editor.finalRead('listByLogin', 'ada').result!.sessions = structuredClone([...sessionsOf(calls.rotated)]);
    },
  ],
  [
    'lists-are-the-live-sessions',
    'a count of one session too many',
    /2 sessions were live, and 3 were counted/,
    (editor) => {
      editor.finalRead('count').result!.counts!.sessions += 1;
    },
  ],
  [
    'lists-are-the-live-sessions',
    'a count of one session too few',
    /2 sessions were live, and 1 were counted/,
    (editor) => {
      editor.finalRead('count').result!.counts!.sessions -= 1;
    },
  ],
  [
    'lists-are-the-live-sessions',
    'a count of a user without sessions',
    /2 logins were live, and 3 were counted/,
    (editor) => {
      editor.finalRead('count').result!.counts!.logins += 1;
    },
  ],
  [
    'each-end-recorded-once',
    'a history without a session that has ended',
    /lacked session .*, which had ended/,
    (editor) => {
      editor.finalRead('listHistory', 'ben').result!.sessions.pop();
    },
  ],
  [
    'each-end-recorded-once',
    'an early history without a session that has ended',
    /lacked session .*, which had ended/,
    (editor, calls) => {
      editor.call(calls.historyOfAda).result!.sessions.shift();
    },
  ],
  [
    'each-end-recorded-once',
    'a history that names a session twice',
    /named a session twice/,
    (editor) => {
      const { sessions } = editor.finalRead('listHistory', 'ada').result!;
      sessions.push(sessions[0]!);
    },
  ],
  [
    'each-end-recorded-once',
    'a session that two calls have ended',
    /was ended 2 times/,
    (editor, calls) => {
      Object.assign(editor.call(calls.endedAgain), { outcome: 'ok' });
    },
  ],
  [
    'each-end-recorded-once',
    'a session without a tombstone after its end',
    /neither the live session/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), []);
    },
  ],
  [
    'each-end-recorded-once',
    'an end that no call requested',
    /although no call had ended it in this way/,
    (editor, calls) => {
      editor.tombstones(calls.displaced.input.sessionId, { reason: 'kicked-out', actor: 'unknown/1' });
    },
  ],
  [
    'each-announced-once',
    'a change that is published twice',
    /received a change of session .* 2 times: version 2/,
    (editor, calls) => {
      const [, update] = editor.received('a', calls.created.input.sessionId);
      editor.feed('a').received.push(structuredClone(update!));
    },
  ],
  [
    'each-announced-once',
    'an end that is published twice',
    /received a change of session .* 2 times: ended/,
    (editor, calls) => {
      const [end] = editor.received('a', calls.rotated.input.successorId);
      editor.feed('a').received.push(structuredClone(end!));
    },
  ],
  [
    'each-announced-once',
    'a creation that one process never receives',
    /never received a change of session .*: created/,
    (editor, calls) => {
      const [creation] = editor.received('b', calls.kept.input.sessionId);
      editor.feed('b').received = editor.feed('b').received.filter((received) => received !== creation);
    },
  ],
  [
    'each-announced-once',
    'an update that one process never receives',
    /never received a change of session .*: version 2/,
    (editor, calls) => {
      const [, update] = editor.received('b', calls.created.input.sessionId);
      editor.feed('b').received = editor.feed('b').received.filter((received) => received !== update);
    },
  ],
  [
    'each-announced-once',
    'an expiry that one process never receives',
    /never received a change of session .*: ended/,
    (editor, calls) => {
      const expiry = editor.received('b', calls.shortLived.input.sessionId).at(-1);
      editor.feed('b').received = editor.feed('b').received.filter((received) => received !== expiry);
    },
  ],
  [
    'each-announced-once',
    'the publication of a write that was not applied',
    /that no call had made: session.updated/,
    (editor, calls) => {
      const update = structuredClone(editor.received('a', calls.created.input.sessionId)[1]!);
      Object.assign(update.change, { version: calls.notApplied.input.expectedVersion + 1 });
      editor.feed('a').received.push(update);
    },
  ],
  [
    'each-announced-once',
    'the publication of a session that was not created',
    /that no call had made: session.created/,
    (editor, calls) => {
      const creation = structuredClone(editor.received('a', calls.kept.input.sessionId)[0]!);
      Object.assign(creation.change, { sessionId: calls.notCreated.input.sessionId });
      editor.feed('a').received.push(creation);
    },
  ],
];
