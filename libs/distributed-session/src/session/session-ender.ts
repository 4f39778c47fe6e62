import type { SessionStorage } from '../storage/session-storage.js';
import type { EndAllSessions, EndSession } from '../storage/session-storage.operations.js';
import { unreadableCause } from './listed-session.js';
import { assertIsSession, readSession } from './open-session.js';
import { followRotation, successorOf } from './rotation-grace.js';

type Ending = Pick<EndSession, 'reason' | 'by' | 'actor'>;

/** Ends sessions. */
export class SessionEnder {
  constructor(
    private readonly storage: SessionStorage,
    private readonly historyRetentionMs: number,
  ) {}

  /**
   * Returns whether this call ended a session. During the grace period, a rotated session is ended under its new id, so
   * that a logout that races with a rotation is not lost.
   */
  async end(sessionId: string, ending: Ending): Promise<boolean> {
    const { storage, historyRetentionMs } = this;
    let target = sessionId;
    // This terminates: every rotation leads to a new id, and only within the previous one's grace period.
    for (;;) {
      const result = await storage.end({ sessionId: target, ...ending, historyRetentionMs });
      if (result.outcome === 'missing') return false;
      if (result.outcome === 'removed') return true;
      assertIsSession(result.session, target);
      if (result.outcome === 'ended') return true;
      const successor = successorOf(result.session, storage.now());
      if (successor === undefined) return false;
      target = successor;
    }
  }

  /** Returns how many sessions were ended. If the excepted session was just rotated, its new id is excepted. */
  async endAll(ending: Omit<EndAllSessions, 'historyRetentionMs'>): Promise<number> {
    const { storage, historyRetentionMs } = this;
    const exceptSessionId = ending.exceptSessionId && (await this.#currentId(ending.exceptSessionId));
    const ended = await storage.endAll({ ...ending, exceptSessionId, historyRetentionMs });
    return ended.length;
  }

  async #currentId(sessionId: string): Promise<string> {
    try {
      const stored = await readSession(this.storage, sessionId);
      return stored ? (await followRotation(this.storage, stored)).sessionId : sessionId;
    } catch (error) {
      // A session that cannot be read was not rotated by a process of this release.
      if (unreadableCause(error) === undefined) throw error;
      return sessionId;
    }
  }
}
