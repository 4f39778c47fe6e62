import type { CallOf, ReceivedChange, History, HistoryCall, Seen, SeenEnded, SeenLive } from './history.js';

/** One session in the result of a call. */
export interface Sighting<S extends Seen = Seen> {
  readonly call: HistoryCall;
  readonly seen: S;
}

/** A call that returned a session as live, and until when. */
export interface LiveNotice {
  readonly call: HistoryCall;
  readonly lastAccessedAt: number;
  readonly expiresAt: number;
}

/** Everything that a history contains about one session id. */
export class SessionStory {
  /** The calls that requested a session with this id. */
  readonly creations: (CallOf<'create'> | CallOf<'rotate'>)[] = [];
  readonly replaces: CallOf<'replace'>[] = [];
  readonly rotations: CallOf<'rotate'>[] = [];
  readonly ends: CallOf<'end'>[] = [];
  readonly live: Sighting<SeenLive>[] = [];
  readonly ended: Sighting<SeenEnded>[] = [];
  /** Live sightings and touches, in the order of their calls. */
  readonly notices: LiveNotice[] = [];
  /** The calls that found nothing with this id. */
  readonly missing: HistoryCall[] = [];
  /** The touches that found no live session. */
  readonly untouched: CallOf<'touch'>[] = [];
  /** The touches with an unknown outcome. */
  readonly lostTouches: CallOf<'touch'>[] = [];
  readonly received: ReceivedChange[] = [];

  constructor(readonly sessionId: string) {}

  /** All sightings, live or ended. */
  get sightings(): Sighting[] {
    return [...this.live, ...this.ended];
  }

  /** The user, according to the calls that created the session. */
  get loginId(): string | undefined {
    for (const { operation, input, result } of this.creations) {
      if (operation === 'create') return input.loginId;
      const [successor] = result?.sessions ?? [];
      if (successor?.sessionId === this.sessionId) return successor.loginId;
    }
    return this.sightings[0]?.seen.loginId;
  }
}

/** Sorts a history by session. */
export function storiesOf({ calls, feeds }: History): ReadonlyMap<string, SessionStory> {
  const stories = new Map<string, SessionStory>();
  const storyOf = (sessionId: string): SessionStory => {
    const story = stories.get(sessionId) ?? new SessionStory(sessionId);
    stories.set(sessionId, story);
    return story;
  };
  for (const call of calls) {
    indexInput(call, storyOf);
    for (const seen of call.result?.sessions ?? []) {
      const story = storyOf(seen.sessionId);
      if (seen.state === 'ended') {
        story.ended.push({ call, seen });
        continue;
      }
      story.live.push({ call, seen });
      story.notices.push({ call, lastAccessedAt: seen.lastAccessedAt, expiresAt: seen.expiresAt });
    }
  }
  for (const received of feeds.flatMap((feed) => feed.received)) {
    if ('sessionId' in received.change) storyOf(received.change.sessionId).received.push(received);
  }
  return stories;
}

function indexInput(call: HistoryCall, storyOf: (sessionId: string) => SessionStory): void {
  switch (call.operation) {
    case 'create':
      storyOf(call.input.sessionId).creations.push(call);
      break;
    case 'rotate':
      storyOf(call.input.successorId).creations.push(call);
      storyOf(call.input.sessionId).rotations.push(call);
      break;
    case 'replace':
      storyOf(call.input.sessionId).replaces.push(call);
      break;
    case 'end':
      storyOf(call.input.sessionId).ends.push(call);
      break;
    case 'touch':
      for (const [index, times] of (call.result?.times ?? []).entries()) {
        const story = storyOf(times?.sessionId ?? call.input.sessionIds[index]!);
        if (times) story.notices.push({ call, lastAccessedAt: times.lastAccessedAt, expiresAt: times.expiresAt });
        else story.untouched.push(call);
      }
      for (const id of call.input.sessionIds) if (call.outcome === 'unknown') storyOf(id).lostTouches.push(call);
      break;
    default:
  }
  if (foundNothing(call)) storyOf(call.input.sessionId).missing.push(call);
}

/** Whether a call on one session found none. */
function foundNothing(call: HistoryCall): call is CallOf<'get'> | CallOf<'replace'> | CallOf<'rotate'> | CallOf<'end'> {
  if (call.operation === 'get') return call.outcome === 'ok' && call.result?.sessions.length === 0;
  return call.result?.answer === 'missing';
}
