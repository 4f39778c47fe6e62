import { HISTORY_LIMIT } from 'nestjs-distributed-session/storage';
import { mayBeApplied } from './call-order.js';
import type { CallOf, Feed, History, HistoryCall } from './history.js';
import { type SessionStory, storiesOf } from './session-story.js';

/** The calls about one user, and the user's sessions. */
export class LoginStory {
  readonly sessions: SessionStory[] = [];
  readonly creates: CallOf<'create'>[] = [];
  readonly endAlls: CallOf<'endAll'>[] = [];
  readonly lists: CallOf<'listByLogin'>[] = [];
  readonly histories: CallOf<'listHistory'>[] = [];

  /** Whether a storage may have dropped tombstones of this user because of the limit. */
  get mayOverflow(): boolean {
    return this.sessions.filter((story) => story.creations.some(mayBeApplied)).length > HISTORY_LIMIT;
  }
}

/** A history, indexed for the invariants. It must contain every client that writes to the storage. */
export class IndexedHistory {
  readonly calls: readonly HistoryCall[];
  readonly feeds: readonly Feed[];
  readonly stories: ReadonlyMap<string, SessionStory>;
  readonly logins = new Map<string, LoginStory>();
  readonly writes = new Map<string, HistoryCall>();
  /** The shortest retention of tombstones that a call requested. */
  readonly retentionMs: number;

  constructor(
    history: History,
    /** Maximum error of a client's knowledge of the storage's clock. */
    readonly clockToleranceMs: number,
    /** How long a published change may take, in nanoseconds of the calls' clock. */
    readonly feedLag: number,
  ) {
    this.calls = history.calls;
    this.feeds = history.feeds;
    this.stories = storiesOf(history);
    let retentionMs = Infinity;
    for (const call of history.calls) {
      if ('writeId' in call.input) this.writes.set(call.input.writeId, call);
      if ('historyRetentionMs' in call.input) retentionMs = Math.min(retentionMs, call.input.historyRetentionMs);
      this.#index(call);
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

  #index(call: HistoryCall): void {
    if (call.operation === 'create') this.login(call.input.loginId).creates.push(call);
    if (call.operation === 'endAll') this.login(call.input.loginId).endAlls.push(call);
    if (call.operation === 'listByLogin') this.login(call.input.loginId).lists.push(call);
    if (call.operation === 'listHistory') this.login(call.input.loginId).histories.push(call);
  }
}
