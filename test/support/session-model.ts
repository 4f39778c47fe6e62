/** The longest chain of rotations that is followed. */
const MAX_HOPS = 3;

export interface ModelSession {
  readonly sessionId: string;
  readonly token: string;
  readonly loginId: string;
  readonly device?: string;
  version: number;
  attributes: Readonly<Record<string, unknown>>;
  /** Absent while it is live. */
  ending?: ModelEnding;
}

export interface ModelEnding {
  readonly reason: string;
  readonly rotatedTo?: ModelSession;
  /** Until when a session that was rotated is followed to its new id. */
  readonly graceEndsAt?: number;
}

/** What the session service does, in its simplest form: one array of sessions, and nothing at the same time. */
export class SessionModel {
  /** In the order in which their logins list them: a session that was rotated gives its place to the new one. */
  readonly sessions: ModelSession[] = [];
  readonly #ended: ModelSession[] = [];

  constructor(
    readonly loginIds: readonly string[],
    private readonly limits: { readonly perLogin: number; readonly graceMs: number },
    private readonly now: () => number,
  ) {}

  /** Some session, by any number; there is one. */
  pick(index: number): ModelSession {
    return this.sessions[index % this.sessions.length]!;
  }

  login(index: number): string {
    return this.loginIds[index % this.loginIds.length]!;
  }

  liveOf(loginId: string): ModelSession[] {
    return this.sessions.filter((session) => session.loginId === loginId && !session.ending);
  }

  /** The last ended first. */
  historyOf(loginId: string): ModelSession[] {
    return this.#ended.filter((session) => session.loginId === loginId).toReversed();
  }

  /** Beyond the limit of a login the oldest session gives way. */
  add(session: ModelSession): void {
    const live = this.liveOf(session.loginId);
    const over = Math.max(live.length + 1 - this.limits.perLogin, 0);
    for (const oldest of live.slice(0, over)) this.end(oldest, { reason: 'limit' });
    this.sessions.push(session);
  }

  /** What has ended keeps its first ending. */
  end(session: ModelSession, ending: ModelEnding): void {
    if (session.ending) throw new Error(`${session.sessionId} has ended before.`);
    session.ending = ending;
    this.#ended.push(session);
  }

  rotate(session: ModelSession, successor: ModelSession): void {
    const graceEndsAt = this.now() + this.limits.graceMs;
    this.end(session, { reason: 'rotated', rotatedTo: successor, graceEndsAt });
    this.sessions.splice(this.sessions.indexOf(session), 0, successor);
  }

  /** Where a session lives on that was just rotated; any other one is itself. */
  follow(session: ModelSession, hops = MAX_HOPS): ModelSession {
    const { rotatedTo, graceEndsAt = 0 } = session.ending ?? {};
    if (hops === 0 || !rotatedTo || this.now() >= graceEndsAt) return session;
    return this.follow(rotatedTo, hops - 1);
  }
}
