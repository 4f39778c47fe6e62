import { SessionConflictError, SessionNotFoundError } from '../errors/session.errors.js';
import type { StoredSession } from '../storage/session-record.js';
import type { ReplaceSessionResult } from '../storage/session-storage.operations.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { AttributeLimits, SessionAttributes } from '../model/attributes.js';
import { type CheckedPatch, applyPatch } from './checked-patch.js';
import { type OpenSession, assertAnswers, endedError, openLive, openSession } from './open-session.js';
import { followRotation, readSession } from './rotation-grace.js';
import { encodePayload } from './session-payload.js';

/** How often a write is repeated on a newer version before its caller is told. Each round, somebody else did write. */
const MAX_ATTEMPTS = 100;

type Replacement = Exclude<ReplaceSessionResult, { outcome: 'missing' }>;

interface PendingPatch {
  readonly patch: CheckedPatch;
  readonly resolve: (session: OpenSession) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes patches so that none is lost: each is applied to the newest version, and applied again when another writer
 * came first. Patches that this process makes to one session at the same time become one write.
 *
 * A patch that meets a session which was just rotated follows it to the new id while the grace lasts.
 */
export class AttributeWriter {
  readonly #queues = new Map<string, PendingPatch[]>();
  readonly #running = new Set<Promise<void>>();

  constructor(
    private readonly storage: SessionStorage,
    private readonly limits: AttributeLimits,
  ) {}

  /** Resolves to the session after the write; rejects, with nothing of this patch written, if it does not fit. */
  write(sessionId: string, patch: CheckedPatch, by: string): Promise<OpenSession> {
    return new Promise((resolve, reject) => {
      const pending = { patch, resolve, reject };
      const key = `${by} ${sessionId}`;
      const queue = this.#queues.get(key);
      if (queue) queue.push(pending);
      else this.#start(key, sessionId, [pending], by);
    });
  }

  /** Writes over exactly the version that is open; throws {@link SessionConflictError} if there is a newer one by now. */
  async writeOver(open: OpenSession, patch: CheckedPatch, by: string): Promise<OpenSession> {
    const attributes = applyPatch(open.payload.attributes, patch, this.limits);
    const result = await this.#replace(open, attributes, by);
    if (result.outcome === 'ended') throw endedError(result.session);
    if (result.outcome === 'replaced') return openSession(result.session);
    throw new SessionConflictError(open.record.sessionId, open.record.version, result.session.version);
  }

  /** Resolves when the writes under way have settled. */
  async drain(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(key: string, sessionId: string, queue: PendingPatch[], by: string): void {
    this.#queues.set(key, queue);
    const run = this.#run(key, sessionId, queue, by).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Writes what is in the queue, and what comes while it writes, round by round. */
  async #run(key: string, sessionId: string, queue: PendingPatch[], by: string): Promise<void> {
    let round: PendingPatch[] = [];
    try {
      let current = await this.#latest(await readSession(this.storage, sessionId), sessionId);
      for (let attempt = 1; queue.length > 0 || round.length > 0; attempt++) {
        const { fitting, attributes } = applyAll([...round, ...queue.splice(0)], current, this.limits);
        round = fitting;
        const result = await this.#replace(current, attributes, by);
        current = await this.#latest(result.session, sessionId);
        if (result.outcome === 'replaced') {
          for (const { resolve } of round.splice(0)) resolve(current);
          attempt = 0;
        } else if (attempt >= MAX_ATTEMPTS) {
          throw new SessionConflictError(sessionId, current.record.version - 1, current.record.version);
        }
      }
    } catch (error) {
      for (const { reject } of [...round, ...queue.splice(0)]) reject(error);
    } finally {
      // In the same turn as the last look at the queue: a patch that came in between would never be written.
      this.#queues.delete(key);
    }
  }

  /** Replaces the open version; without a change there is nothing to write. */
  async #replace({ record, payload }: OpenSession, attributes: SessionAttributes, by: string): Promise<Replacement> {
    if (attributes === payload.attributes) return { outcome: 'replaced', session: record };
    const result = await this.storage.replace({
      sessionId: record.sessionId,
      expectedVersion: record.version,
      payload: encodePayload({ ...payload, attributes }),
      by,
      touch: true,
    });
    if (result.outcome === 'missing') throw new SessionNotFoundError(record.sessionId);
    assertAnswers(result.session, record.sessionId);
    return result;
  }

  /** Opens what is stored now: the session, or what it was just rotated to. */
  async #latest(stored: StoredSession | undefined, sessionId: string): Promise<OpenSession> {
    return openLive(stored && (await followRotation(this.storage, stored)), sessionId);
  }
}

/** Applies patches one after the other; one that does not fit is rejected by itself and leaves no trace. */
function applyAll(patches: PendingPatch[], { payload }: OpenSession, limits: AttributeLimits) {
  let attributes = payload.attributes;
  const fitting = patches.filter(({ patch, reject }) => {
    try {
      attributes = applyPatch(attributes, patch, limits);
      return true;
    } catch (error) {
      reject(error);
      return false;
    }
  });
  return { fitting, attributes };
}
