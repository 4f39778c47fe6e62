import { type Moment, mayBeAppliedBy, precedes } from './call-order.js';
import type { HistoryCall } from './history.js';
import type { IndexedHistory } from './indexed-history.js';
import type { LiveNotice, SessionStory } from './session-story.js';

/** The calls that can have ended a session by the time that a call was answered. */
export function possibleEndings(history: IndexedHistory, story: SessionStory, by: Moment): HistoryCall[] {
  const { sessionId, loginId } = story;
  const { creates, endAlls } = history.login(loginId ?? '');
  const displacing = creates.filter(({ input }) => input.sessionId !== sessionId && input.limits.onLimit !== 'reject');
  const sweeping = endAlls.filter(({ input, outcome, result }) => {
    if (input.exceptSessionId === sessionId) return false;
    return outcome !== 'ok' || result?.sessions.some((ended) => ended.sessionId === sessionId);
  });
  const calls: HistoryCall[] = [...story.ends, ...story.rotations, ...displacing, ...sweeping];
  return calls.filter((call) => mayBeAppliedBy(call, by));
}

/** Whether a session that was live in one call can have ended by the time that another was answered. */
export function mayHaveEnded(history: IndexedHistory, story: SessionStory, live: LiveNotice, by: HistoryCall): boolean {
  if (live.expiresAt <= (by.clockAtEnd ?? Infinity) + history.clockToleranceMs) return true;
  // A call that returned before the session was seen live did not end it.
  return possibleEndings(history, story, by).some((ending) => ending.outcome !== 'ok' || !precedes(ending, live.call));
}

/** The last call before this one that returned the session as live. */
export function lastNoticeBefore(story: SessionStory, call: HistoryCall): LiveNotice | undefined {
  // They are in the order of their calls.
  return story.notices.findLast((notice) => precedes(notice.call, call));
}
