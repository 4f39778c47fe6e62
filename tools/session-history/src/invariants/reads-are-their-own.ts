import type { HistoryCall } from '../history.js';
import type { IndexedHistory } from '../indexed-history.js';
import type { SessionStory, Sighting } from '../session-story.js';
import type { Violation } from './invariant.js';

/** A read of a session returns that session: its id, its user, and a payload that was written to it. */
export function* readsAreTheirOwn(history: IndexedHistory): Iterable<Violation> {
  for (const call of history.calls) {
    const sentence = answersForAnother(call);
    if (sentence !== undefined) yield { invariant: 'reads-are-their-own', sentence, entries: [call] };
  }
  for (const story of history.stories.values()) {
    for (const sighting of story.sightings) {
      const sentence = notWrittenTo(story, sighting, history);
      if (sentence !== undefined) yield { invariant: 'reads-are-their-own', sentence, entries: [sighting.call] };
    }
    for (const received of story.received) {
      if (!('loginId' in received.change) || received.change.loginId === story.loginId) continue;
      const sentence = `${received.client} received session ${story.sessionId} as one of ${received.change.loginId}.`;
      yield { invariant: 'reads-are-their-own', sentence, entries: [...story.creations, received] };
    }
  }
}

/** What is wrong with the ids and logins in an answer, if anything. */
function answersForAnother({ operation, input, result }: HistoryCall): string | undefined {
  const sessions = result?.sessions ?? [];
  switch (operation) {
    case 'listByLogin':
    case 'listHistory':
    case 'endAll': {
      const other = sessions.find(({ loginId }) => loginId !== input.loginId);
      return other && `${operation} of ${input.loginId} returned session ${other.sessionId} of ${other.loginId}.`;
    }
    case 'touch': {
      const other = result?.times?.find((times, index) => times && times.sessionId !== input.sessionIds[index]);
      return other ? `A touch of other sessions returned the times of ${other.sessionId}.` : undefined;
    }
    case 'sweep':
    case 'count':
      return undefined;
    default: {
      const asked = operation === 'rotate' && result?.answer === 'rotated' ? input.successorId : input.sessionId;
      const other = sessions.find(({ sessionId }) => sessionId !== asked);
      return other && `${operation} of ${asked} returned session ${other.sessionId}.`;
    }
  }
}

/** Describes content of a session that no call wrote to it, if there is any. */
function notWrittenTo(story: SessionStory, { seen }: Sighting, history: IndexedHistory): string | undefined {
  const { sessionId, creations, loginId, rotations } = story;
  if (creations.length === 0) return `Session ${sessionId} was read, but no call created it.`;
  if (seen.loginId !== loginId) return `Session ${sessionId} of ${loginId} was read as one of ${seen.loginId}.`;
  if (seen.state === 'live') {
    const write = history.writes.get(seen.writeId);
    if (write && writesTo(write) === sessionId) return undefined;
    return `Session ${sessionId} was read with '${seen.writeId}', which no call wrote to it.`;
  }
  const isSuccessor = rotations.some(({ input }) => input.successorId === seen.rotatedTo);
  if (seen.rotatedTo === undefined || isSuccessor) return undefined;
  return `Session ${sessionId} was read as rotated to ${seen.rotatedTo}, which no call requested.`;
}

/** The session that holds the payload of a write. */
function writesTo({ operation, input }: HistoryCall): string | undefined {
  if (operation === 'create' || operation === 'replace') return input.sessionId;
  return operation === 'rotate' ? input.successorId : undefined;
}
