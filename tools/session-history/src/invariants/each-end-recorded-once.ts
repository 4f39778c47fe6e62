import { HISTORY_LIMIT } from 'nestjs-distributed-session/storage';
import { firstToEnd, mayBeApplied, precedes } from '../call-order.js';
import type { CallOf, HistoryCall, SeenEnded } from '../history.js';
import type { IndexedHistory, LoginStory } from '../indexed-history.js';
import { lastNoticeBefore } from '../possible-endings.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

/** Each applied end has one cause and one entry in its user's history, and there are no other entries. */
export function* eachEndRecordedOnce(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    yield* endedTwice(story);
    yield* endedByNobody(story, history);
  }
  for (const login of history.logins.values()) {
    for (const list of login.histories.filter(({ outcome }) => outcome === 'ok')) yield* recordedTwice(list);
    // Tombstones over the limit may have been dropped, and it is unknown which.
    if (login.mayOverflow) continue;
    for (const story of login.sessions) yield* forgotten(story, login, history);
  }
}

function* endedTwice({ sessionId, ends, rotations, ended }: SessionStory): Iterable<Violation> {
  const endAlls = ended.map(({ call }) => call).filter(({ operation }) => operation === 'endAll');
  const applied = [...ends, ...rotations, ...endAlls].filter(({ outcome }) => outcome === 'ok');
  if (applied.length < 2) return;
  const sentence = `Session ${sessionId} was ended ${applied.length} times.`;
  yield { invariant: 'each-end-recorded-once', sentence, entries: applied };
}

function* endedByNobody(story: SessionStory, history: IndexedHistory): Iterable<Violation> {
  const [first] = story.ended;
  if (!first || causesOf(story, first.seen, history).some(mayBeApplied)) return;
  const sentence = `Session ${story.sessionId} ended (${first.seen.reason}) although no call had ended it in this way.`;
  yield { invariant: 'each-end-recorded-once', sentence, entries: [first.call] };
}

/** The calls that can have ended a session in the way that its tombstone states. */
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
    yield { invariant: 'each-end-recorded-once', sentence, entries: [list] };
  }
  if (ids.length <= HISTORY_LIMIT) return;
  const sentence = `The history of ${list.input.loginId} had ${ids.length} entries, more than it may.`;
  yield { invariant: 'each-end-recorded-once', sentence, entries: [list] };
}

/** After a session has ended, reads return its tombstone until its retention ends. */
function* forgotten(story: SessionStory, login: LoginStory, history: IndexedHistory): Iterable<Violation> {
  const { sessionId, ended, rotations, missing } = story;
  const report = firstToEnd([...ended.map(({ call }) => call), ...rotations.filter(({ outcome }) => outcome === 'ok')]);
  for (const list of login.histories) {
    if (list.outcome !== 'ok' || !report || !precedes(report, list) || !isKept(report, list, history)) continue;
    if (list.result?.sessions.some((seen) => seen.sessionId === sessionId)) continue;
    const sentence = `The history of ${list.input.loginId} lacked session ${sessionId}, which had ended.`;
    yield { invariant: 'each-end-recorded-once', sentence, entries: [report, list] };
  }
  for (const call of missing) {
    const known = lastNoticeBefore(story, call)?.call ?? (report && precedes(report, call) ? report : undefined);
    if (!known || !isKept(known, call, history)) continue;
    const sentence = `The storage had neither the live session ${sessionId} nor its tombstone.`;
    yield { invariant: 'each-end-recorded-once', sentence, entries: [known, call] };
  }
}

/** Whether a session or tombstone that one call returned must still be within its retention at another call. */
function isKept(known: HistoryCall, call: HistoryCall, { retentionMs, clockToleranceMs }: IndexedHistory): boolean {
  return (call.clockAtEnd ?? Infinity) + 2 * clockToleranceMs < endOf(known) + retentionMs;
}

/** A lower bound of the time at which the session ended. */
function endOf({ result, clockAtStart }: HistoryCall): number {
  const ends = (result?.sessions ?? []).flatMap((seen) => (seen.state === 'ended' ? [seen.endedAt] : []));
  return Math.min(clockAtStart, ...ends);
}
