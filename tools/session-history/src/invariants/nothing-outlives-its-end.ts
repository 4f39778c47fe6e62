import type { IndexedHistory } from '../indexed-history.js';
import type { LiveNotice, SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

/** A session lives until the end that its last access set: not longer, and no timeout ends it earlier. */
export function* nothingOutlivesItsEnd(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    yield* liveAfterItsEnd(story, history.clockToleranceMs);
    yield* endedBeforeItsEnd(story, history.clockToleranceMs);
    yield* absoluteEndsMoved(story);
    const accesses = accessesOf(story);
    if (!accesses || accesses.length === 0) continue;
    yield* endsNobodyGranted(story, accesses);
    yield* accessesWhenDue(story, accesses);
  }
}

function* liveAfterItsEnd({ sessionId, notices }: SessionStory, toleranceMs: number): Iterable<Violation> {
  for (const { call, expiresAt } of notices) {
    if (call.clockAtStart < expiresAt + toleranceMs) continue;
    const sentence = `Session ${sessionId}, which ended at ${expiresAt}, was found live by a call that began at ${call.clockAtStart}.`;
    yield { invariant: 'nothing-outlives-its-end', sentence, entries: [call] };
  }
}

function* endedBeforeItsEnd({ sessionId, ended, notices }: SessionStory, toleranceMs: number): Iterable<Violation> {
  const timedOut = ended.find(({ seen }) => isTimeout(seen.reason));
  if (!timedOut) return;
  const { call, seen } = timedOut;
  if ((call.clockAtEnd ?? Infinity) + toleranceMs < seen.endedAt) {
    const sentence = `Session ${sessionId} was reported to have timed out at ${seen.endedAt}, before that time.`;
    yield { invariant: 'nothing-outlives-its-end', sentence, entries: [call] };
  }
  const longer = notices.find(({ expiresAt }) => expiresAt > seen.endedAt);
  if (longer) {
    const sentence = `Session ${sessionId} timed out at ${seen.endedAt}, but an access had extended it to ${longer.expiresAt}.`;
    yield { invariant: 'nothing-outlives-its-end', sentence, entries: [longer.call, call] };
  }
}

function* absoluteEndsMoved({ sessionId, live: [first, ...others] }: SessionStory): Iterable<Violation> {
  for (const { call, seen } of others) {
    if (seen.absoluteExpiresAt === first!.seen.absoluteExpiresAt) continue;
    const sentence = `The absolute end of session ${sessionId} moved.`;
    yield { invariant: 'nothing-outlives-its-end', sentence, entries: [first!.call, call] };
  }
}

/** The accesses that set an end, in the order of the storage's clock; `undefined` if some are unknown. */
function accessesOf(story: SessionStory): LiveNotice[] | undefined {
  const { creations, replaces, notices, lostTouches } = story;
  const touching = replaces.filter(({ input }) => input.touch);
  const isLost = [...creations, ...touching].some(({ outcome }) => outcome === 'unknown');
  if (isLost || lostTouches.length > 0) return undefined;
  const calls = new Set<unknown>([...creations, ...touching].filter(({ outcome }) => outcome === 'ok'));
  const accesses = notices.filter(({ call }) => call.operation === 'touch' || calls.has(call));
  return accesses.toSorted((a, b) => a.lastAccessedAt - b.lastAccessedAt);
}

function* endsNobodyGranted({ sessionId, notices, ended }: SessionStory, accesses: LiveNotice[]): Iterable<Violation> {
  const granted = new Set(accesses.map(({ expiresAt }) => expiresAt));
  for (const { call, expiresAt } of notices) {
    if (granted.has(expiresAt)) continue;
    const sentence = `Session ${sessionId} had the end ${expiresAt}, which no access had set.`;
    yield { invariant: 'nothing-outlives-its-end', sentence, entries: [call] };
  }
  const last = Math.max(...granted);
  for (const { call, seen } of ended) {
    if (isTimeout(seen.reason) ? granted.has(seen.endedAt) : seen.endedAt < last) continue;
    const sentence = `Session ${sessionId} ended at ${seen.endedAt} (${seen.reason}), when it was already due.`;
    yield {
      invariant: 'nothing-outlives-its-end',
      sentence,
      entries: [...accesses.map((access) => access.call), call],
    };
    return;
  }
}

/** An access counts only while an earlier one lasts: what is due is not accessed back to life. */
function* accessesWhenDue({ sessionId }: SessionStory, accesses: LiveNotice[]): Iterable<Violation> {
  let last = accesses[0];
  for (const access of accesses.slice(1)) {
    if (last && access.lastAccessedAt >= last.expiresAt) {
      const sentence = `Session ${sessionId} was due at ${last.expiresAt} and was accessed at ${access.lastAccessedAt}.`;
      yield { invariant: 'nothing-outlives-its-end', sentence, entries: [last.call, access.call] };
    }
    if (!last || access.expiresAt > last.expiresAt) last = access;
  }
}

function isTimeout(reason: string): boolean {
  return reason === 'idle-timeout' || reason === 'absolute-timeout';
}
