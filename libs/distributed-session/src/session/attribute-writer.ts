import { SessionConflictError, SessionNotFoundError } from '../errors/session.errors.js';
import type { StoredSession } from '../storage/session-record.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { ReplaceSessionResult } from '../storage/session-storage.operations.js';
import { type AttributeAuthor, type AttributeState, type SharedLimits, applyPatchAs } from './attribute-shares.js';
import type { CheckedPatch } from './checked-patch.js';
import { type OpenSession, assertIsSession, endedError, openLive, openSession, readSession } from './open-session.js';
import { followRotation } from './rotation-grace.js';
import { encodePayload } from './session-payload.js';
import type { TokenDigests } from './token-digests.js';

/** Attempts before a write is rejected as a conflict. Each failed attempt means that another writer succeeded. */
const MAX_ATTEMPTS = 100;

type Replacement = Exclude<ReplaceSessionResult, { outcome: 'missing' }>;

interface PendingPatch {
  readonly author: AttributeAuthor;
  readonly patch: CheckedPatch;
  readonly resolve: (session: OpenSession) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes patches so that none is lost: a patch is applied to the newest version, and applied again after a conflict.
 * Concurrent patches of this process to one session are combined into one write.
 *
 * During the grace period of a rotation, a patch under the old id is written to the new session.
 */
export class AttributeWriter {
  readonly #queues = new Map<string, PendingPatch[]>();
  readonly #running = new Set<Promise<void>>();

  constructor(
    private readonly storage: SessionStorage,
    private readonly limits: SharedLimits,
    private readonly digests: TokenDigests,
  ) {}

  /** Returns the session after the write. Rejects without writing any of the patch if it does not fit the session. */
  write(sessionId: string, patch: CheckedPatch, author: AttributeAuthor): Promise<OpenSession> {
    return new Promise((resolve, reject) => {
      const pending = { author, patch, resolve, reject };
      const by = author.serviceId;
      const key = `${by} ${sessionId}`;
      const queue = this.#queues.get(key);
      if (queue) queue.push(pending);
      else this.#start(key, sessionId, [pending], by);
    });
  }

  /** Writes only if the open version is still current; otherwise throws {@link SessionConflictError}. */
  async replace(open: OpenSession, patch: CheckedPatch, author: AttributeAuthor): Promise<OpenSession> {
    const state = applyPatchAs(author, open.payload, patch, this.limits);
    const result = await this.#write(open, state, author.serviceId);
    if (result.outcome === 'ended') throw endedError(result.session);
    if (result.outcome === 'replaced') return openSession(result.session);
    throw new SessionConflictError(open.record.sessionId, open.record.version, result.session.version);
  }

  /** Resolves when the pending writes have settled. */
  async drain(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(key: string, sessionId: string, queue: PendingPatch[], by: string): void {
    this.#queues.set(key, queue);
    const run = this.#run(key, sessionId, queue, by).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Writes the queued patches, and those that arrive meanwhile, round by round. */
  async #run(key: string, sessionId: string, queue: PendingPatch[], by: string): Promise<void> {
    let round: PendingPatch[] = [];
    try {
      let current = await this.#latest(await readSession(this.storage, sessionId), sessionId);
      for (let attempt = 1; queue.length > 0 || round.length > 0; attempt++) {
        const { fitting, state } = applyAll([...round, ...queue.splice(0)], current, this.limits);
        round = fitting;
        const result = await this.#write(current, state, by);
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
      // In the same tick as the last check of the queue: a patch added in between would never be written.
      this.#queues.delete(key);
    }
  }

  /** Replaces the open version, unless the attributes are unchanged. */
  async #write(
    { record, payload }: OpenSession,
    { attributes, writers }: AttributeState,
    by: string,
  ): Promise<Replacement> {
    if (attributes === payload.attributes) return { outcome: 'replaced', session: record };
    const digest = record.tokenDigest ?? payload.tokenDigest;
    const result = await this.storage.replace({
      sessionId: record.sessionId,
      expectedVersion: record.version,
      ...(digest !== undefined && { tokenDigest: this.digests.renewed(record.sessionId, digest) }),
      payload: encodePayload({ ...payload, attributes, writers }),
      by,
      touch: true,
    });
    if (result.outcome === 'missing') throw new SessionNotFoundError(record.sessionId);
    assertIsSession(result.session, record.sessionId);
    return result;
  }

  /** Opens the stored session, or the one that continues it after a rotation. */
  async #latest(stored: StoredSession | undefined, sessionId: string): Promise<OpenSession> {
    return openLive(stored && (await followRotation(this.storage, stored)), sessionId);
  }
}

/** Applies patches in order. One that does not fit is rejected and does not affect the others. */
function applyAll(patches: PendingPatch[], { payload }: OpenSession, limits: SharedLimits) {
  let state: AttributeState = payload;
  const fitting = patches.filter(({ author, patch, reject }) => {
    try {
      state = applyPatchAs(author, state, patch, limits);
      return true;
    } catch (error) {
      reject(error);
      return false;
    }
  });
  return { fitting, state };
}
