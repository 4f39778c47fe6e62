import { mayBeApplied, precedes } from '../call-order.js';
import type { CallOf, HistoryCall } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import { lastNoticeBefore, mayHaveEnded } from '../possible-endings.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

const KNOWN_ERRORS = new Set([
  'ERR_STORAGE_UNAVAILABLE',
  'ERR_STORAGE_OUTCOME_UNKNOWN',
  'ERR_STORAGE_FULL',
  'ERR_STORAGE_CORRUPT',
  'ERR_KEY_UNAVAILABLE',
]);

/** Later reads see every acknowledged write, and no read sees a write that was not applied. */
export function* appliedMeansVisible(history: IndexedHistory): Iterable<Violation> {
  for (const call of history.calls) {
    if (call.error === undefined || KNOWN_ERRORS.has(call.error)) continue;
    const sentence = `${call.operation} rejected with ${call.error}, which does not say whether it was applied.`;
    yield { invariant: 'applied-means-visible', sentence, entries: [call] };
  }
  for (const story of history.stories.values()) {
    yield* visibleWithoutBeingApplied(story, history);
    yield* goneWithoutEnd(story, history);
    yield* unseenWrites(story);
  }
}

function* visibleWithoutBeingApplied(story: SessionStory, history: IndexedHistory): Iterable<Violation> {
  const { sessionId, creations, sightings } = story;
  const [first] = sightings;
  if (first && creations.length > 0 && !creations.some(mayBeApplied)) {
    const sentence = `Session ${sessionId} was read although its creation had not been applied.`;
    yield { invariant: 'applied-means-visible', sentence, entries: [...creations, first.call] };
  }
  for (const { call, seen } of sightings) {
    const write = history.writes.get((seen.state === 'live' ? seen.writeId : seen.actor) ?? '');
    if (!write || mayBeApplied(write)) continue;
    const sentence = `A write to session ${sessionId} that was reported as not applied was read.`;
    yield { invariant: 'applied-means-visible', sentence, entries: [write, call] };
  }
}

/** A session that was seen live exists in later reads, unless something can have ended it. */
function* goneWithoutEnd(story: SessionStory, history: IndexedHistory): Iterable<Violation> {
  const endings = story.ended.map(({ call }) => call);
  for (const call of [...story.missing, ...story.untouched, ...endings]) {
    const live = lastNoticeBefore(story, call);
    if (!live || mayHaveEnded(history, story, live, call)) continue;
    const sentence = `Session ${story.sessionId} was gone although no call can have ended it.`;
    yield { invariant: 'applied-means-visible', sentence, entries: [live.call, call] };
  }
}

function* unseenWrites({ sessionId, replaces, live }: SessionStory): Iterable<Violation> {
  const acknowledged = replaces.filter(({ outcome }) => outcome === 'ok');
  for (const { call, seen } of live) {
    const write = newestBefore(acknowledged, call);
    if (!write || seen.version > write.input.expectedVersion + 1 || seen.writeId === write.input.writeId) continue;
    const sentence = `An acknowledged write to session ${sessionId} was not seen by a later read.`;
    yield { invariant: 'applied-means-visible', sentence, entries: [write, call] };
  }
}

function newestBefore(writes: CallOf<'replace'>[], call: HistoryCall): CallOf<'replace'> | undefined {
  let newest: CallOf<'replace'> | undefined;
  for (const write of writes) {
    if (!precedes(write, call)) continue;
    if (!newest || write.input.expectedVersion > newest.input.expectedVersion) newest = write;
  }
  return newest;
}
