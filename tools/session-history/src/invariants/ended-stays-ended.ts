import { type Moment, firstToEnd, precedes } from '../call-order.js';
import type { ReceivedChange, HistoryCall, HistoryEntry, SeenEnded } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

interface EndReport extends Moment {
  readonly entry: HistoryEntry;
}

/** Once a client has received a session's end, no later call finds the session live or writes to it. */
export function* endedStaysEnded(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    const end = firstToEnd(reportsOfTheEnd(story));
    if (end) yield* foundLiveAfter(end, story);
    yield* changedTombstones(story);
  }
}

/** The moments at which a client received the session's end. */
function reportsOfTheEnd(story: SessionStory): EndReport[] {
  const firstLive = firstToEnd(story.notices.map(({ call }) => call));
  // Before the session was first seen, finding nothing may mean that it does not exist yet.
  const gone = [...story.missing, ...story.untouched].filter((call) => firstLive && precedes(firstLive, call));
  const rotated = story.rotations.filter(({ outcome }) => outcome === 'ok');
  return [
    ...[...story.ended.map(({ call }) => call), ...gone, ...rotated].map(toldByCall),
    ...story.received.filter(({ change }) => isEnd(change)).map(toldByFeed),
  ];
}

function toldByCall(call: HistoryCall): EndReport {
  return { startedAt: call.startedAt, endedAt: call.endedAt, entry: call };
}

function toldByFeed(received: ReceivedChange): EndReport {
  return { startedAt: received.at, endedAt: received.at, entry: received };
}

function isEnd({ type }: ReceivedChange['change']): boolean {
  return type === 'session.ended' || type === 'session.rotated';
}

function* foundLiveAfter(end: EndReport, story: SessionStory): Iterable<Violation> {
  const rotated = story.rotations.filter(({ outcome }) => outcome === 'ok');
  const live = new Set<HistoryCall>([...story.notices.map(({ call }) => call), ...rotated]);
  for (const call of live) {
    if (!precedes(end, call)) continue;
    const sentence = `${call.client} found session ${story.sessionId} live after its end had been reported.`;
    yield { invariant: 'ended-stays-ended', sentence, entries: [end.entry, call] };
  }
}

function* changedTombstones({ sessionId, ended }: SessionStory): Iterable<Violation> {
  const [first] = ended;
  const other = ended.find(({ seen }) => first && !isSameEnd(first.seen, seen));
  if (!first || !other) return;
  const sentence = `The tombstone of session ${sessionId} was not always the same.`;
  yield { invariant: 'ended-stays-ended', sentence, entries: [first.call, other.call] };
}

function isSameEnd(one: SeenEnded, other: SeenEnded): boolean {
  return (['version', 'reason', 'endedAt', 'endedBy', 'actor', 'rotatedTo'] as const).every(
    (field) => one[field] === other[field],
  );
}
