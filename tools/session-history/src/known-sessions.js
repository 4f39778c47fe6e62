/** @import { HistoryCall } from './history.js' */
/** @import { SeededRandom } from './seeded-random.js' */

/** The sessions that one client knows from the results of its calls. They may be stale. */
export class KnownSessions {
  /** @type {Map<string, Map<string, { version: number, isLive: boolean }>>} */
  #ofLogin = new Map();

  /**
   * Learns from the result of a call.
   *
   * @param {HistoryCall} call
   */
  learn({ result }) {
    for (const { loginId, sessionId, version, state } of result?.sessions ?? []) {
      const known = this.#ofLogin.get(loginId) ?? new Map();
      known.set(sessionId, { version, isLive: state === 'live' });
      this.#ofLogin.set(loginId, known);
    }
  }

  /**
   * One session of a user at the version that was seen last: usually live, rarely ended.
   *
   * @param {string} loginId
   * @param {SeededRandom} random
   * @returns {{ sessionId: string, version: number } | undefined}
   */
  pick(loginId, random) {
    const wantsLive = random.chance(0.85);
    const choice = [...(this.#ofLogin.get(loginId) ?? [])].filter(([, { isLive }]) => isLive || !wantsLive);
    if (choice.length === 0) return undefined;
    const [sessionId, { version }] = random.pick(choice);
    return { sessionId, version };
  }
}
