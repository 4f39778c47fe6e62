import type { HistoryEntry } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import type { SessionStory } from '../session-story.js';
import type { Moment } from '../call-order.js';
import type { Violation } from './invariant.js';

/** An observation that a session was at least at this version. */
interface Observation extends Moment {
  readonly version: number;
  readonly entry: HistoryEntry;
}

/** No read returns an older version than one returned before it began, and no feed delivers versions in the wrong order. */
export function* versionsNeverGoBack(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    yield* staleReads(story);
    yield* backwardFeeds(story);
  }
}

function* staleReads(story: SessionStory): Iterable<Violation> {
  const reads = observedByCalls(story).toSorted((a, b) => a.startedAt - b.startedAt);
  const known = [...reads, ...observedByFeeds(story)].filter(({ endedAt }) => endedAt !== undefined);
  known.sort((a, b) => a.endedAt! - b.endedAt!);
  let newest: Observation | undefined;
  let next = 0;
  for (const read of reads) {
    for (; next < known.length && known[next]!.endedAt! < read.startedAt; next++) {
      if (!newest || known[next]!.version > newest.version) newest = known[next];
    }
    if (!newest || read.version >= newest.version) continue;
    const sentence = `Session ${story.sessionId} was at version ${newest.version} and later at ${read.version}.`;
    yield { invariant: 'versions-never-go-back', sentence, entries: [newest.entry, read.entry] };
  }
}

function observedByCalls(story: SessionStory): Observation[] {
  const seen = story.sightings.map(({ call, seen: { version } }) => ({ call, version }));
  const rotated = story.rotations
    .filter(({ outcome }) => outcome === 'ok')
    .map((call) => ({ call, version: call.input.expectedVersion }));
  return [...seen, ...rotated].map(({ call, version }) => {
    return { startedAt: call.startedAt, endedAt: call.endedAt, version, entry: call };
  });
}

function observedByFeeds({ received }: SessionStory): Observation[] {
  return received.flatMap((entry) => {
    const version = 'version' in entry.change ? entry.change.version : 0;
    return { startedAt: entry.at, endedAt: entry.at, version, entry };
  });
}

function* backwardFeeds(story: SessionStory): Iterable<Violation> {
  const last = new Map<string, Observation>();
  for (const observation of observedByFeeds(story)) {
    const { client } = observation.entry;
    const before = last.get(client);
    if (before && observation.version < before.version) {
      const sentence = `${client} received the versions of session ${story.sessionId} in the wrong order.`;
      yield { invariant: 'versions-never-go-back', sentence, entries: [before.entry, observation.entry] };
    }
    last.set(client, observation);
  }
}
