import { type Damage, sessionsOf } from './damage.js';

/** Changes of lists, counts, histories and feeds, each of which breaks a promise. */
export const DAMAGED_LISTS_AND_FEEDS: readonly Damage[] = [
  [
    'I1',
    'a feed that tells of a session as of another login',
    /heard of session .* as one of zoe/,
    (editor, calls) => {
      Object.assign(editor.heard('b', calls.created.input.sessionId)[1]!.change, { loginId: 'zoe' });
    },
  ],
  [
    'I2',
    'a read that finds a session live after the feed has told its end',
    /live after its end had been told/,
    (editor, calls) => {
      const end = editor.heard('a', calls.created.input.sessionId).at(-1);
      end!.at = calls.notApplied.endedAt!;
    },
  ],
  [
    'I3',
    'a feed that tells versions backwards',
    /backwards/,
    (editor, calls) => {
      const [, first, second] = editor.heard('b', calls.created.input.sessionId);
      [first!.change, second!.change] = [second!.change, first!.change];
    },
  ],
  [
    'I11',
    'a list that lacks a live session',
    /lacked the live session/,
    (editor) => {
      editor.quiet('listByLogin', 'cleo').result!.sessions = [];
    },
  ],
  [
    'I11',
    'a list, long before the rest, that lacks a live session',
    /lacked the live session/,
    (editor, calls) => {
      editor.call(calls.listed).result!.sessions = [];
    },
  ],
  [
    'I11',
    'a list that names a session twice',
    /named a session twice/,
    (editor) => {
      const { sessions } = editor.quiet('listByLogin', 'cleo').result!;
      sessions.push(...sessions);
    },
  ],
  [
    'I11',
    'a list that names what has ended',
    /which was not live/,
    (editor, calls) => {
      editor.quiet('listByLogin', 'ada').result!.sessions = structuredClone([...sessionsOf(calls.rotated)]);
    },
  ],
  [
    'I11',
    'a count of one session too many',
    /2 sessions were live, and 3 were counted/,
    (editor) => {
      editor.quiet('count').result!.counts!.sessions += 1;
    },
  ],
  [
    'I11',
    'a count of one session too few',
    /2 sessions were live, and 1 were counted/,
    (editor) => {
      editor.quiet('count').result!.counts!.sessions -= 1;
    },
  ],
  [
    'I11',
    'a count of a login that is gone',
    /2 logins were live, and 3 were counted/,
    (editor) => {
      editor.quiet('count').result!.counts!.logins += 1;
    },
  ],
  [
    'I12',
    'a history without a session that has ended',
    /lacked session .*, which had ended/,
    (editor) => {
      editor.quiet('listHistory', 'ben').result!.sessions.pop();
    },
  ],
  [
    'I12',
    'a history, long before the rest, without a session that has ended',
    /lacked session .*, which had ended/,
    (editor, calls) => {
      editor.call(calls.historyOfAda).result!.sessions.shift();
    },
  ],
  [
    'I12',
    'a history that names a session twice',
    /named a session twice/,
    (editor) => {
      const { sessions } = editor.quiet('listHistory', 'ada').result!;
      sessions.push(sessions[0]!);
    },
  ],
  [
    'I12',
    'a session that two calls have ended',
    /was ended 2 times/,
    (editor, calls) => {
      Object.assign(editor.call(calls.endedAgain), { outcome: 'ok' });
    },
  ],
  [
    'I12',
    'a session of which nothing is known after its end',
    /Nothing was known of session/,
    (editor, calls) => {
      editor.answer(editor.call(calls.readRotated), []);
    },
  ],
  [
    'I12',
    'an end that nobody asked for',
    /although nobody had ended it so/,
    (editor, calls) => {
      editor.tombstones(calls.displaced.input.sessionId, { reason: 'kicked-out', actor: 'nobody/1' });
    },
  ],
  [
    'I12',
    'a change that is announced twice',
    /heard 2 times of session .*: version 2/,
    (editor, calls) => {
      const [, update] = editor.heard('a', calls.created.input.sessionId);
      editor.feed('a').heard.push(structuredClone(update!));
    },
  ],
  [
    'I12',
    'an end that is announced twice',
    /heard 2 times of session .*: ended/,
    (editor, calls) => {
      const [end] = editor.heard('a', calls.rotated.input.successorId);
      editor.feed('a').heard.push(structuredClone(end!));
    },
  ],
  [
    'I12',
    'a creation that one process never hears of',
    /never heard of session .*: created/,
    (editor, calls) => {
      const [creation] = editor.heard('b', calls.kept.input.sessionId);
      editor.feed('b').heard = editor.feed('b').heard.filter((heard) => heard !== creation);
    },
  ],
  [
    'I12',
    'an update that one process never hears of',
    /never heard of session .*: version 2/,
    (editor, calls) => {
      const [, update] = editor.heard('b', calls.created.input.sessionId);
      editor.feed('b').heard = editor.feed('b').heard.filter((heard) => heard !== update);
    },
  ],
  [
    'I12',
    'an expiry that one process never hears of',
    /never heard of session .*: ended/,
    (editor, calls) => {
      const expiry = editor.heard('b', calls.shortLived.input.sessionId).at(-1);
      editor.feed('b').heard = editor.feed('b').heard.filter((heard) => heard !== expiry);
    },
  ],
  [
    'I12',
    'the announcement of a write that was not applied',
    /what nobody had done: session.updated/,
    (editor, calls) => {
      const update = structuredClone(editor.heard('a', calls.created.input.sessionId)[1]!);
      Object.assign(update.change, { version: calls.notApplied.input.expectedVersion + 1 });
      editor.feed('a').heard.push(update);
    },
  ],
  [
    'I12',
    'the announcement of a session that was not created',
    /what nobody had done: session.created/,
    (editor, calls) => {
      const creation = structuredClone(editor.heard('a', calls.kept.input.sessionId)[0]!);
      Object.assign(creation.change, { sessionId: calls.notCreated.input.sessionId });
      editor.feed('a').heard.push(creation);
    },
  ],
];
