import { HISTORY_LIMIT } from 'nestjs-distributed-session/storage';
import { mayBeApplied } from './call-order.js';
import type { CallOf, Feed, History, HistoryCall } from './history.js';
import { type SessionStory, storiesOf } from './session-story.js';

/** The calls that are about one login as a whole, and its sessions. */
export class LoginStory {
  readonly sessions: SessionStory[] = [];
  readonly creates: CallOf<'create'>[] = [];
  readonly endAlls: CallOf<'endAll'>[] = [];
  readonly lists: CallOf<'listByLogin'>[] = [];
  readonly histories: CallOf<'listHistory'>[] = [];

  /** Whether a storage may have dropped tombstones of this login because there were too many. */
  get mayOverflow(): boolean {
    return this.sessions.filter((story) => story.creations.some(mayBeApplied)).length > HISTORY_LIMIT;
  }
}

/** A history, sorted by what the invariants ask for. Everybody who writes to the storage must be in the history. */
export class IndexedHistory {
  readonly calls: readonly HistoryCall[];
  readonly feeds: readonly Feed[];
  readonly stories: ReadonlyMap<string, SessionStory>;
  readonly logins = new Map<string, LoginStory>();
  readonly writes = new Map<string, HistoryCall>();
  /** The shortest time for which anybody asked to keep tombstones. */
  readonly retentionMs: number;

  constructor(
    history: History,
    /** How far the clock of the storage, as a client knows it, may be from the true one. */
    readonly clockToleranceMs: number,
    /** How long an announcement may be under way, in nanoseconds of the clock that the calls are timed with. */
    readonly feedLag: number,
  ) {
    this.calls = history.calls;
    this.feeds = history.feeds;
    this.stories = storiesOf(history);
    let retentionMs = Infinity;
    for (const call of history.calls) {
      if ('writeId' in call.input) this.writes.set(call.input.writeId, call);
      if ('historyRetentionMs' in call.input) retentionMs = Math.min(retentionMs, call.input.historyRetentionMs);
      this.#tellOf(call);
    }
    this.retentionMs = retentionMs;
    for (const story of this.stories.values()) {
      if (story.loginId !== undefined) this.login(story.loginId).sessions.push(story);
    }
  }

  login(loginId: string): LoginStory {
    const login = this.logins.get(loginId) ?? new LoginStory();
    this.logins.set(loginId, login);
    return login;
  }

  #tellOf(call: HistoryCall): void {
    if (call.operation === 'create') this.login(call.input.loginId).creates.push(call);
    if (call.operation === 'endAll') this.login(call.input.loginId).endAlls.push(call);
    if (call.operation === 'listByLogin') this.login(call.input.loginId).lists.push(call);
    if (call.operation === 'listHistory') this.login(call.input.loginId).histories.push(call);
  }
}
