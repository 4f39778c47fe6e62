import { mayBeApplied, precedes } from '../call-order.js';
import type { CallOf, HistoryCall } from '../history.js';
import type { IndexedHistory, LoginStory } from '../indexed-history.js';
import { lastNoticeBefore, mayHaveEnded } from '../possible-endings.js';
import { isFinalRead } from '../final-reader.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

/** A list contains each live session of its user once and, in the final state, no other; the count matches the lists. */
export function* listsAreTheLiveSessions(history: IndexedHistory): Iterable<Violation> {
  for (const login of history.logins.values()) {
    for (const list of login.lists.filter(({ outcome }) => outcome === 'ok')) {
      yield* listedTwice(list);
      yield* unlisted(list, login, history);
      if (isFinalRead(list)) yield* listedWithoutLife(list, login);
    }
  }
  yield* miscounted(history);
}

function* listedTwice(list: CallOf<'listByLogin'>): Iterable<Violation> {
  const ids = (list.result?.sessions ?? []).map(({ sessionId }) => sessionId);
  if (new Set(ids).size === ids.length) return;
  yield {
    invariant: 'lists-are-the-live-sessions',
    sentence: `The list of ${list.input.loginId} named a session twice.`,
    entries: [list],
  };
}

function* unlisted(
  list: CallOf<'listByLogin'>,
  { sessions }: LoginStory,
  history: IndexedHistory,
): Iterable<Violation> {
  const listed = new Set(list.result?.sessions.map(({ sessionId }) => sessionId));
  for (const story of sessions) {
    if (listed.has(story.sessionId)) continue;
    const before = lastNoticeBefore(story, list);
    if (!before) continue;
    const last = story.notices.at(-1);
    const after = last && precedes(list, last.call) ? last : undefined;
    if (!after && mayHaveEnded(history, story, before, list)) continue;
    const sentence = `The list of ${list.input.loginId} lacked the live session ${story.sessionId}.`;
    yield {
      invariant: 'lists-are-the-live-sessions',
      sentence,
      entries: [before.call, list, ...(after ? [after.call] : [])],
    };
  }
}

/** In the final state, what a read by id did not find live just before is not on the list. */
function* listedWithoutLife(list: CallOf<'listByLogin'>, { sessions }: LoginStory): Iterable<Violation> {
  for (const { sessionId, missing, ended, live } of sessions) {
    if (!live.some(({ call }) => call === list)) continue;
    const gone = [...missing, ...ended.map(({ call }) => call)].find(
      (call) => isFinalRead(call) && precedes(call, list),
    );
    if (!gone) continue;
    const sentence = `The list of ${list.input.loginId} named session ${sessionId}, which was not live.`;
    yield { invariant: 'lists-are-the-live-sessions', sentence, entries: [gone, list] };
  }
}

function* miscounted(history: IndexedHistory): Iterable<Violation> {
  for (const count of history.calls) {
    const counts = count.operation === 'count' && isFinalRead(count) ? count.result?.counts : undefined;
    if (!counts) continue;
    const { certain, possible } = liveAt(count, history);
    for (const [name, least, most, counted] of [
      ['sessions', certain.length, possible.length, counts.sessions],
      ['logins', loginsOf(certain), loginsOf(possible), counts.logins],
    ] as const) {
      if (least <= counted && counted <= most) continue;
      const range = least === most ? `${least}` : `${least} to ${most}`;
      const sentence = `In the final state, ${range} ${name} were live, and ${counted} were counted.`;
      yield { invariant: 'lists-are-the-live-sessions', sentence, entries: [count] };
    }
  }
}

/** The sessions that the reads around the final count show to be live then, and those that may have been. */
function liveAt(count: HistoryCall, history: IndexedHistory): { certain: SessionStory[]; possible: SessionStory[] } {
  const certain: SessionStory[] = [];
  const possible: SessionStory[] = [];
  for (const story of history.stories.values()) {
    const before = lastNoticeBefore(story, count);
    const isOver = [...story.missing, ...story.ended.map(({ call }) => call)].some((call) => precedes(call, count));
    if (before && !isOver && !mayHaveEnded(history, story, before, count)) certain.push(story);
    if (!isOver && story.creations.some(mayBeApplied)) possible.push(story);
    else if (endedLately(story, count, history)) possible.push(story);
  }
  return { certain, possible };
}

/** Whether a session came due so late that the sweeps before the count may not have expired it. */
function endedLately(
  { ended }: SessionStory,
  count: HistoryCall,
  { calls, clockToleranceMs }: IndexedHistory,
): boolean {
  const sweptAt = calls.findLast((call) => call.operation === 'sweep' && isFinalRead(call) && precedes(call, count));
  const since = (sweptAt?.clockAtStart ?? 0) - clockToleranceMs;
  return ended.some(({ seen }) => seen.reason.endsWith('-timeout') && seen.endedAt >= since);
}

function loginsOf(stories: SessionStory[]): number {
  return new Set(stories.map(({ loginId }) => loginId)).size;
}
