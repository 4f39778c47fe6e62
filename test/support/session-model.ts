/** The maximum number of rotations to follow. */
const MAX_HOPS = 3;

export interface ModelSession {
  readonly sessionId: string;
  readonly token: string;
  readonly loginId: string;
  readonly device?: string;
  version: number;
  attributes: Readonly<Record<string, unknown>>;
  /** Absent while the session is live. */
  ending?: ModelEnding;
}

export interface ModelEnding {
  readonly reason: string;
  readonly rotatedTo?: ModelSession;
  /** The end of the grace period, during which a rotated session leads to its new id. */
  readonly graceEndsAt?: number;
}

/** The session service in its simplest form: one array of sessions, without concurrency. */
export class SessionModel {
  /** In listing order: a new session takes the place of the one that it was rotated from. */
  readonly sessions: ModelSession[] = [];
  readonly #ended: ModelSession[] = [];

  constructor(
    readonly loginIds: readonly string[],
    private readonly limits: { readonly perLogin: number; readonly graceMs: number },
    private readonly now: () => number,
  ) {}

  /** Picks a session by any number. Requires at least one session. */
  pick(index: number): ModelSession {
    return this.sessions[index % this.sessions.length]!;
  }

  login(index: number): string {
    return this.loginIds[index % this.loginIds.length]!;
  }

  liveOf(loginId: string): ModelSession[] {
    return this.sessions.filter((session) => session.loginId === loginId && !session.ending);
  }

  /** The last end first. */
  historyOf(loginId: string): ModelSession[] {
    return this.#ended.filter((session) => session.loginId === loginId).toReversed();
  }

  /** Adds a session. Beyond the limit per user, the oldest session ends. */
  add(session: ModelSession): void {
    const live = this.liveOf(session.loginId);
    const over = Math.max(live.length + 1 - this.limits.perLogin, 0);
    for (const oldest of live.slice(0, over)) this.end(oldest, { reason: 'limit' });
    this.sessions.push(session);
  }

  /** Ends a live session. */
  end(session: ModelSession, ending: ModelEnding): void {
    if (session.ending) throw new Error(`${session.sessionId} has ended already.`);
    session.ending = ending;
    this.#ended.push(session);
  }

  rotate(session: ModelSession, successor: ModelSession): void {
    const graceEndsAt = this.now() + this.limits.graceMs;
    this.end(session, { reason: 'rotated', rotatedTo: successor, graceEndsAt });
    this.sessions.splice(this.sessions.indexOf(session), 0, successor);
  }

  /** The session that a rotated one leads to during its grace period; otherwise the session itself. */
  follow(session: ModelSession, hops = MAX_HOPS): ModelSession {
    const { rotatedTo, graceEndsAt = 0 } = session.ending ?? {};
    if (hops === 0 || !rotatedTo || this.now() >= graceEndsAt) return session;
    return this.follow(rotatedTo, hops - 1);
  }
}
