import { HISTORY_LIMIT } from 'nestjs-distributed-session/storage';
import { firstToEnd, mayBeApplied, precedes } from '../call-order.js';
import type { CallOf, HistoryCall, SeenEnded } from '../history.js';
import type { IndexedHistory, LoginStory } from '../indexed-history.js';
import { lastNoticeBefore } from '../possible-endings.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

/** I12: each end that was applied has one cause and one entry in the history of its login, and nothing else has one. */
export function* eachEndRecordedOnce(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    yield* endedTwice(story);
    yield* endedByNobody(story, history);
  }
  for (const login of history.logins.values()) {
    for (const list of login.histories.filter(({ outcome }) => outcome === 'ok')) yield* recordedTwice(list);
    // What is over the limit may have been dropped, and nobody knows what.
    if (login.mayOverflow) continue;
    for (const story of login.sessions) yield* forgotten(story, login, history);
  }
}

function* endedTwice({ sessionId, ends, rotations, ended }: SessionStory): Iterable<Violation> {
  const endAlls = ended.map(({ call }) => call).filter(({ operation }) => operation === 'endAll');
  const applied = [...ends, ...rotations, ...endAlls].filter(({ outcome }) => outcome === 'ok');
  if (applied.length < 2) return;
  const sentence = `Session ${sessionId} was ended ${applied.length} times.`;
  yield { invariant: 'I12', sentence, entries: applied };
}

function* endedByNobody(story: SessionStory, history: IndexedHistory): Iterable<Violation> {
  const [first] = story.ended;
  if (!first || causesOf(story, first.seen, history).some(mayBeApplied)) return;
  const sentence = `Session ${story.sessionId} ended (${first.seen.reason}) although nobody had ended it so.`;
  yield { invariant: 'I12', sentence, entries: [first.call] };
}

/** The calls that can have ended a session in the way that its tombstone tells. */
function causesOf(story: SessionStory, tombstone: SeenEnded, history: IndexedHistory): HistoryCall[] {
  const { reason, endedBy, actor, rotatedTo } = tombstone;
  if (reason === 'rotated') return story.rotations.filter(({ input }) => input.successorId === rotatedTo);
  if (reason === 'idle-timeout' || reason === 'absolute-timeout') return [...story.creations];
  const login = history.login(story.loginId ?? '');
  if (actor === undefined) return login.creates.filter(({ client }) => client === endedBy);
  return [...story.ends, ...login.endAlls].filter(({ input }) => input.writeId === actor && input.reason === reason);
}

function* recordedTwice(list: CallOf<'listHistory'>): Iterable<Violation> {
  const ids = (list.result?.sessions ?? []).map(({ sessionId }) => sessionId);
  if (new Set(ids).size < ids.length) {
    const sentence = `The history of ${list.input.loginId} named a session twice.`;
    yield { invariant: 'I12', sentence, entries: [list] };
  }
  if (ids.length <= HISTORY_LIMIT) return;
  const sentence = `The history of ${list.input.loginId} had ${ids.length} entries, more than it may.`;
  yield { invariant: 'I12', sentence, entries: [list] };
}

/** Whoever asks after a session has ended finds its tombstone, until its retention is over. */
function* forgotten(story: SessionStory, login: LoginStory, history: IndexedHistory): Iterable<Violation> {
  const { sessionId, ended, rotations, missing } = story;
  const told = firstToEnd([...ended.map(({ call }) => call), ...rotations.filter(({ outcome }) => outcome === 'ok')]);
  for (const list of login.histories) {
    if (list.outcome !== 'ok' || !told || !precedes(told, list) || !isKept(told, list, history)) continue;
    if (list.result?.sessions.some((seen) => seen.sessionId === sessionId)) continue;
    const sentence = `The history of ${list.input.loginId} lacked session ${sessionId}, which had ended.`;
    yield { invariant: 'I12', sentence, entries: [told, list] };
  }
  for (const call of missing) {
    const known = lastNoticeBefore(story, call)?.call ?? (told && precedes(told, call) ? told : undefined);
    if (!known || !isKept(known, call, history)) continue;
    const sentence = `Nothing was known of session ${sessionId} any more, neither that it lived nor how it ended.`;
    yield { invariant: 'I12', sentence, entries: [known, call] };
  }
}

/** Whether what a call knew, of a live session or a tombstone just made, cannot be past its retention in another. */
function isKept(known: HistoryCall, call: HistoryCall, { retentionMs, clockToleranceMs }: IndexedHistory): boolean {
  return (call.clockAtEnd ?? Infinity) + 2 * clockToleranceMs < endOf(known) + retentionMs;
}

/** No later than the session ended that a call knew of. */
function endOf({ result, clockAtStart }: HistoryCall): number {
  const ends = (result?.sessions ?? []).flatMap((seen) => (seen.state === 'ended' ? [seen.endedAt] : []));
  return Math.min(clockAtStart, ...ends);
}
