import { type Moment, mayBeApplied } from '../call-order.js';
import type { Feed, HeardChange, HistoryCall } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import { possibleEndings } from '../possible-endings.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

/** One thing that a feed has to tell, and the call after whose answer everybody hears of it soon. */
interface Due {
  readonly key: string;
  readonly call: HistoryCall;
  /** The change is later than this. */
  readonly since: number;
}

/** I12: each process hears of each change that was applied once, and of nothing else. */
export function* eachAnnouncedOnce(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    yield* announcedWithoutChange(story, history);
    const due = announcementsOf(story, history);
    const heard = groupedBy(story.heard, ({ client }) => client);
    for (const feed of history.feeds) yield* inOneFeed(story, feed, heard.get(feed.client) ?? [], due, history);
  }
}

function* inOneFeed(
  { sessionId }: SessionStory,
  feed: Feed,
  heard: readonly HeardChange[],
  due: readonly Due[],
  { feedLag }: IndexedHistory,
): Iterable<Violation> {
  const byKey = groupedBy(heard, ({ change }) => keyOf(change));
  for (const [key, entries] of byKey) {
    if (entries.length === 1) continue;
    const sentence = `${feed.client} heard ${entries.length} times of session ${sessionId}: ${key}.`;
    yield { invariant: 'I12', sentence, entries };
  }
  if (feed.endedAt === undefined || feed.hasGap) return;
  for (const { key, call, since } of due) {
    const isCovered = since > feed.startedAt && (call.endedAt ?? Infinity) + feedLag < feed.endedAt;
    if (!isCovered || byKey.has(key)) continue;
    const sentence = `${feed.client} never heard of session ${sessionId}: ${key}.`;
    yield { invariant: 'I12', sentence, entries: [call] };
  }
}

/** The announcements of one session that there can be only one of have one key. */
function keyOf(change: HeardChange['change']): string {
  if (change.type === 'session.updated') return `version ${change.version}`;
  return change.type === 'session.created' ? 'created' : 'ended';
}

/** What every feed has to tell of a session, for all that the calls were told. */
function announcementsOf(story: SessionStory, history: IndexedHistory): Due[] {
  const due: Due[] = [];
  for (const call of story.creations) {
    if (call.operation === 'create' && call.outcome === 'ok') due.push({ key: 'created', call, since: call.startedAt });
  }
  for (const call of story.replaces) {
    if (call.outcome === 'ok')
      due.push({ key: `version ${call.input.expectedVersion + 1}`, call, since: call.startedAt });
  }
  const end = story.rotations.find(({ outcome }) => outcome === 'ok') ?? announcedEnd(story, history);
  const createdAt = Math.min(...story.creations.map(({ startedAt }) => startedAt));
  if (end) due.push({ key: 'ended', call: end, since: createdAt });
  return due;
}

/** A tombstone that a caller made is announced when it is seen; one that time made, once a sweep has left none due. */
function announcedEnd({ ended: [first] }: SessionStory, history: IndexedHistory): HistoryCall | undefined {
  if (!first) return undefined;
  const { call, seen } = first;
  if (!seen.reason.endsWith('-timeout')) return call;
  return history.calls.find(({ operation, input, result, clockAtStart }) => {
    if (operation !== 'sweep' || (result?.claimed ?? input.limit) >= input.limit) return false;
    return clockAtStart > seen.endedAt + history.clockToleranceMs;
  });
}

function* announcedWithoutChange(story: SessionStory, history: IndexedHistory): Iterable<Violation> {
  for (const heard of story.heard) {
    if (isPossible(heard, story, history)) continue;
    const sentence = `${heard.client} heard of session ${story.sessionId} what nobody had done: ${heard.change.type}.`;
    yield { invariant: 'I12', sentence, entries: [heard] };
  }
}

function isPossible({ change, at }: HeardChange, story: SessionStory, history: IndexedHistory): boolean {
  const heardAt: Moment = { startedAt: at, endedAt: at };
  const had = (call: HistoryCall): boolean => mayBeApplied(call) && call.startedAt < at;
  switch (change.type) {
    case 'session.created':
      return story.creations.some((call) => call.operation === 'create' && had(call));
    case 'session.updated':
      return story.replaces.some((call) => call.input.expectedVersion + 1 === change.version && had(call));
    case 'session.rotated':
      return story.rotations.some((call) => call.input.successorId === change.rotatedTo && had(call));
    case 'session.ended':
      return change.reason.endsWith('-timeout') || possibleEndings(history, story, heardAt).length > 0;
    default:
      return true;
  }
}

function groupedBy<T>(items: readonly T[], keyFor: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyFor(item));
    if (group) group.push(item);
    else groups.set(keyFor(item), [item]);
  }
  return groups;
}
