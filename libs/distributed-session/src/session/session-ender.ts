import type { ResolvedOptions } from '../resolve-options.js';
import type { EndAllSessions, EndSession } from '../storage/session-storage.operations.js';
import { assertAnswers } from './open-session.js';
import { followRotation, readSession, successorOf } from './rotation-grace.js';

type Ending = Pick<EndSession, 'reason' | 'by' | 'actor'>;

/** Ends sessions for good. */
export class SessionEnder {
  constructor(private readonly options: ResolvedOptions) {}

  /**
   * Resolves to whether a session was ended by this call. A session that was just rotated is ended under its new id
   * while the grace lasts, so that a logout that crosses a rotation is not lost.
   */
  async end(sessionId: string, ending: Ending): Promise<boolean> {
    const { storage, historyRetentionMs } = this.options;
    let target = sessionId;
    // It ends: each rotation has led to a new id, and has done so within the grace of the one before.
    for (;;) {
      const result = await storage.end({ sessionId: target, ...ending, historyRetentionMs });
      if (result.outcome === 'missing') return false;
      assertAnswers(result.session, target);
      if (result.outcome === 'ended') return true;
      const successor = successorOf(result.session, storage.now());
      if (successor === undefined) return false;
      target = successor;
    }
  }

  /** Resolves to how many sessions were ended. An exception that was just rotated is excepted under its new id. */
  async endAll(ending: Omit<EndAllSessions, 'historyRetentionMs'>): Promise<number> {
    const { storage, historyRetentionMs } = this.options;
    const exceptSessionId = ending.exceptSessionId && (await this.#currentId(ending.exceptSessionId));
    const ended = await storage.endAll({ ...ending, exceptSessionId, historyRetentionMs });
    return ended.length;
  }

  async #currentId(sessionId: string): Promise<string> {
    const { storage } = this.options;
    const stored = await readSession(storage, sessionId);
    return stored ? (await followRotation(storage, stored)).sessionId : sessionId;
  }
}
