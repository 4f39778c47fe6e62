import type { CallOf, HeardChange, History, HistoryCall, Seen, SeenEnded, SeenLive } from './history.js';

/** What a call saw of one session. */
export interface Sighting<S extends Seen = Seen> {
  readonly call: HistoryCall;
  readonly seen: S;
}

/** A call that was told that a session is live, and until when. */
export interface LiveNotice {
  readonly call: HistoryCall;
  readonly lastAccessedAt: number;
  readonly expiresAt: number;
}

/** Everything a history tells about one session id. */
export class SessionStory {
  /** The calls that asked for a session under this id. */
  readonly creations: (CallOf<'create'> | CallOf<'rotate'>)[] = [];
  readonly replaces: CallOf<'replace'>[] = [];
  readonly rotations: CallOf<'rotate'>[] = [];
  readonly ends: CallOf<'end'>[] = [];
  readonly live: Sighting<SeenLive>[] = [];
  readonly ended: Sighting<SeenEnded>[] = [];
  /** Live sightings and touches, in the order in which they were asked. */
  readonly notices: LiveNotice[] = [];
  /** The calls that found nothing under this id. */
  readonly missing: HistoryCall[] = [];
  /** The touches that found nothing live. */
  readonly untouched: CallOf<'touch'>[] = [];
  /** The touches of which nobody knows whether they counted. */
  readonly lostTouches: CallOf<'touch'>[] = [];
  readonly heard: HeardChange[] = [];

  constructor(readonly sessionId: string) {}

  /** All that was seen of it, live or ended. */
  get sightings(): Sighting[] {
    return [...this.live, ...this.ended];
  }

  /** Whose session it is, as its creators said. */
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
    tellOfInput(call, storyOf);
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
  for (const heard of feeds.flatMap((feed) => feed.heard)) {
    if ('sessionId' in heard.change) storyOf(heard.change.sessionId).heard.push(heard);
  }
  return stories;
}

function tellOfInput(call: HistoryCall, storyOf: (sessionId: string) => SessionStory): void {
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

/** Whether a call on one session was told that there is none. */
function foundNothing(call: HistoryCall): call is CallOf<'get'> | CallOf<'replace'> | CallOf<'rotate'> | CallOf<'end'> {
  if (call.operation === 'get') return call.outcome === 'ok' && call.result?.sessions.length === 0;
  return call.result?.answer === 'missing';
}
