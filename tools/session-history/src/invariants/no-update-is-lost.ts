import { mayBeAppliedBy } from '../call-order.js';
import type { CallOf, HistoryCall } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import type { SessionStory } from '../session-story.js';
import type { Violation } from './invariant.js';

type VersionedWrite = CallOf<'replace'> | CallOf<'rotate'>;

/** The versions of a session form one chain that contains each acknowledged write, and no others. */
export function* noUpdateIsLost(history: IndexedHistory): Iterable<Violation> {
  for (const story of history.stories.values()) {
    const writes = new Map<number, VersionedWrite[]>();
    for (const call of [...story.replaces, ...story.rotations]) {
      const { expectedVersion } = call.input;
      writes.set(expectedVersion, [...(writes.get(expectedVersion) ?? []), call]);
    }
    for (const [version, ofVersion] of writes) yield* contested(story, version, ofVersion);
    yield* misnumbered(story);
    yield* versionsWithoutWrite(story, writes);
    yield* versionsWithTwoPayloads(story);
  }
}

function* contested({ sessionId }: SessionStory, version: number, writes: VersionedWrite[]): Iterable<Violation> {
  const applied = writes.filter(({ outcome }) => outcome === 'ok');
  if (applied.length > 1) {
    const sentence = `Version ${version} of session ${sessionId} was written over ${applied.length} times.`;
    yield { invariant: 'no-update-is-lost', sentence, entries: applied };
  }
  for (const call of writes) {
    if (call.result?.answer !== 'conflict' || call.result.sessions[0]?.version !== version) continue;
    const sentence = `A write to session ${sessionId} was refused although it expected the version that it met.`;
    yield { invariant: 'no-update-is-lost', sentence, entries: [call] };
  }
}

/** An acknowledged write returns its own payload: at the version after the one it expected, or at 1 if it created. */
function* misnumbered({ sessionId, replaces, creations }: SessionStory): Iterable<Violation> {
  for (const call of [...replaces, ...creations]) {
    if (call.outcome !== 'ok') continue;
    const version = call.operation === 'replace' ? call.input.expectedVersion + 1 : 1;
    const [seen] = call.result?.sessions ?? [];
    if (seen?.state === 'live' && seen.writeId === call.input.writeId && seen.version === version) continue;
    const sentence = `A write to session ${sessionId} returned other data than it had written.`;
    yield { invariant: 'no-update-is-lost', sentence, entries: [call] };
  }
}

/** Each version after the first was written over the one before; a rotation ends the chain. */
function* versionsWithoutWrite(
  { sessionId, sightings }: SessionStory,
  writes: Map<number, VersionedWrite[]>,
): Iterable<Violation> {
  for (const { call, seen } of sightings) {
    for (let version = 1; version < seen.version; version++) {
      const makers = (writes.get(version) ?? []).filter(({ operation }) => operation === 'replace');
      if (makers.some((write) => mayBeAppliedBy(write, call))) continue;
      const sentence = `Session ${sessionId} was read at version ${seen.version}, but no call had written version ${version + 1}.`;
      yield { invariant: 'no-update-is-lost', sentence, entries: [...makers, call] };
      break;
    }
  }
}

/** Of one version everybody reads one payload: that of the acknowledged write, if there is one. */
function* versionsWithTwoPayloads({ sessionId, live, rotations }: SessionStory): Iterable<Violation> {
  const firstAt = new Map<number, { readonly call: HistoryCall; readonly writeId: string }>();
  for (const { call, seen } of live) {
    const first = firstAt.get(seen.version);
    if (!first) firstAt.set(seen.version, { call, writeId: seen.writeId });
    else if (first.writeId !== seen.writeId) {
      const sentence = `Version ${seen.version} of session ${sessionId} was read with two payloads.`;
      yield { invariant: 'no-update-is-lost', sentence, entries: [first.call, call] };
    }
  }
  for (const rotation of rotations.filter(({ outcome }) => outcome === 'ok')) {
    const later = live.find(({ seen }) => seen.version > rotation.input.expectedVersion);
    if (!later) continue;
    const sentence = `Session ${sessionId} was rotated at version ${rotation.input.expectedVersion} and read at a later one.`;
    yield { invariant: 'no-update-is-lost', sentence, entries: [rotation, later.call] };
  }
}
