import { type Moment, mayBeApplied } from '../call-order.js';
import type { Feed, ReceivedChange, HistoryCall } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import { possibleEndings } from '../possible-endings.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

/** A change that every feed must deliver soon after a call returned. */
interface Due {
  readonly key: string;
  readonly call: HistoryCall;
  /** A lower bound of the change's time. */
  readonly since: number;
}

/** Each process receives each applied change once, and nothing else. */
export function* eachAnnouncedOnce(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    yield* publishedWithoutChange(story, history);
    const due = announcementsOf(story, history);
    const received = groupedBy(story.received, ({ client }) => client);
    for (const feed of history.feeds) yield* inOneFeed(story, feed, received.get(feed.client) ?? [], due, history);
  }
}

function* inOneFeed(
  { sessionId }: SessionStory,
  feed: Feed,
  received: readonly ReceivedChange[],
  due: readonly Due[],
  { feedLag }: IndexedHistory,
): Iterable<Violation> {
  const byKey = groupedBy(received, ({ change }) => keyOf(change));
  for (const [key, entries] of byKey) {
    if (entries.length === 1) continue;
    const sentence = `${feed.client} received a change of session ${sessionId} ${entries.length} times: ${key}.`;
    yield { invariant: 'each-announced-once', sentence, entries };
  }
  if (feed.endedAt === undefined || feed.hasGap) return;
  for (const { key, call, since } of due) {
    const isCovered = since > feed.startedAt && (call.endedAt ?? Infinity) + feedLag < feed.endedAt;
    if (!isCovered || byKey.has(key)) continue;
    const sentence = `${feed.client} never received a change of session ${sessionId}: ${key}.`;
    yield { invariant: 'each-announced-once', sentence, entries: [call] };
  }
}

/** Changes of a session of which only one can exist have the same key. */
function keyOf(change: ReceivedChange['change']): string {
  if (change.type === 'session.updated') return `version ${change.version}`;
  return change.type === 'session.created' ? 'created' : 'ended';
}

/** The changes of a session that every feed must deliver, according to the results of the calls. */
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

/** A caller's tombstone is published when it is seen; an expiry once a sweep has left no session due. */
function announcedEnd({ ended: [first] }: SessionStory, history: IndexedHistory): HistoryCall | undefined {
  if (!first) return undefined;
  const { call, seen } = first;
  if (!seen.reason.endsWith('-timeout')) return call;
  return history.calls.find(({ operation, input, result, clockAtStart }) => {
    if (operation !== 'sweep' || (result?.expired ?? input.limit) >= input.limit) return false;
    return clockAtStart > seen.endedAt + history.clockToleranceMs;
  });
}

function* publishedWithoutChange(story: SessionStory, history: IndexedHistory): Iterable<Violation> {
  for (const received of story.received) {
    if (isPossible(received, story, history)) continue;
    const sentence = `${received.client} received a change of session ${story.sessionId} that no call had made: ${received.change.type}.`;
    yield { invariant: 'each-announced-once', sentence, entries: [received] };
  }
}

function isPossible({ change, at }: ReceivedChange, story: SessionStory, history: IndexedHistory): boolean {
  const receivedAt: Moment = { startedAt: at, endedAt: at };
  const had = (call: HistoryCall): boolean => mayBeApplied(call) && call.startedAt < at;
  switch (change.type) {
    case 'session.created':
      return story.creations.some((call) => call.operation === 'create' && had(call));
    case 'session.updated':
      return story.replaces.some((call) => call.input.expectedVersion + 1 === change.version && had(call));
    case 'session.rotated':
      return story.rotations.some((call) => call.input.successorId === change.rotatedTo && had(call));
    case 'session.ended':
      return change.reason.endsWith('-timeout') || possibleEndings(history, story, receivedAt).length > 0;
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
