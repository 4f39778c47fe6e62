import { type Moment, firstToEnd, precedes } from '../call-order.js';
import type { HeardChange, HistoryCall, HistoryEntry, SeenEnded } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

interface Told extends Moment {
  readonly entry: HistoryEntry;
}

/** I2: once anybody was told that a session has ended, nobody who asks later finds it live or writes to it. */
export function* endedStaysEnded(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    const end = firstToEnd(toldOfTheEnd(story));
    if (end) yield* foundLiveAfter(end, story);
    yield* changedTombstones(story);
  }
}

/** Who was told, and when, that the session is over. */
function toldOfTheEnd(story: SessionStory): Told[] {
  const firstLive = firstToEnd(story.notices.map(({ call }) => call));
  // Before anybody saw it, to find nothing may mean that it is still to come.
  const gone = [...story.missing, ...story.untouched].filter((call) => firstLive && precedes(firstLive, call));
  const rotated = story.rotations.filter(({ outcome }) => outcome === 'ok');
  return [
    ...[...story.ended.map(({ call }) => call), ...gone, ...rotated].map(toldByCall),
    ...story.heard.filter(({ change }) => isEnd(change)).map(toldByFeed),
  ];
}

function toldByCall(call: HistoryCall): Told {
  return { startedAt: call.startedAt, endedAt: call.endedAt, entry: call };
}

function toldByFeed(heard: HeardChange): Told {
  return { startedAt: heard.at, endedAt: heard.at, entry: heard };
}

function isEnd({ type }: HeardChange['change']): boolean {
  return type === 'session.ended' || type === 'session.rotated';
}

function* foundLiveAfter(end: Told, story: SessionStory): Iterable<Violation> {
  const rotated = story.rotations.filter(({ outcome }) => outcome === 'ok');
  const live = new Set<HistoryCall>([...story.notices.map(({ call }) => call), ...rotated]);
  for (const call of live) {
    if (!precedes(end, call)) continue;
    const sentence = `${call.client} found session ${story.sessionId} live after its end had been told.`;
    yield { invariant: 'I2', sentence, entries: [end.entry, call] };
  }
}

function* changedTombstones({ sessionId, ended }: SessionStory): Iterable<Violation> {
  const [first] = ended;
  const other = ended.find(({ seen }) => first && !isSameEnd(first.seen, seen));
  if (!first || !other) return;
  const sentence = `The tombstone of session ${sessionId} was not always the same.`;
  yield { invariant: 'I2', sentence, entries: [first.call, other.call] };
}

function isSameEnd(one: SeenEnded, other: SeenEnded): boolean {
  return (['version', 'reason', 'endedAt', 'endedBy', 'actor', 'rotatedTo'] as const).every(
    (field) => one[field] === other[field],
  );
}
