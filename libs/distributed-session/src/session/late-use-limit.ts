/** The period in which a session is reported once, in milliseconds. */
const PERIOD_MS = 1_000;
/** The number of sessions that are reported within a period: those of a mass logout, but few among the events of others. */
const MAX_SESSIONS = 100;

/**
 * Bounds how often the late use of ended sessions is reported. Anyone with an ended session can cause it as fast as
 * requests arrive, and the reports must not push other events out of the memory of those that keep them.
 */
export class LateUseLimit {
  /** The time of each session's last report, in order. */
  readonly #reported = new Map<string, number>();

  /** Returns whether the late use of a session is to be reported now, and remembers it. */
  admits(sessionId: string, now: number): boolean {
    for (const [id, at] of this.#reported) {
      // A clock that was set back must not silence the reports.
      if (at <= now && now < at + PERIOD_MS) break;
      this.#reported.delete(id);
    }
    if (this.#reported.has(sessionId) || this.#reported.size >= MAX_SESSIONS) return false;
    this.#reported.set(sessionId, now);
    return true;
  }
}
