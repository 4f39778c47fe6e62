import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from 'nestjs-distributed-session';
import { RequestError } from './problem.js';

const MAX_KEYS = 10_000;
/** The approximate limit on the memory of the stored responses, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;
const KEY_OVERHEAD = 512;

/** A request with its key. Requests that agree in all fields are repeats of the same request. */
export interface IdempotentRequest {
  readonly serviceId: string;
  readonly operation: string;
  readonly key: string;
  readonly body: string;
}

interface Held {
  readonly fingerprint: string;
  readonly response: Promise<unknown>;
  readonly endsAt: number;
}

export interface IdempotentResponse {
  readonly response: unknown;
  readonly isReplay: boolean;
}

/**
 * Stores the responses to requests with an `Idempotency-Key` in the memory of this process for a limited time. A repeated
 * request gets the first one's response, even if the first is still in flight. Errors are not stored, so the key may be
 * used again.
 */
export class IdempotencyKeys {
  readonly #held = new LRUCache<string, Held>({ max: MAX_KEYS, maxSize: MAX_BYTES });

  constructor(
    private readonly retentionMs: number,
    private readonly clock: Clock,
  ) {}

  /**
   * Performs a request once, or returns the stored response to an earlier request with the same key and body.
   *
   * @throws {RequestError} when the key was used for a different request.
   */
  async once(request: IdempotentRequest, perform: () => Promise<unknown>): Promise<IdempotentResponse> {
    const name = digest(request.serviceId, request.operation, request.key);
    const fingerprint = digest(request.body);
    const held = this.#held.get(name);
    if (held && this.clock.now() < held.endsAt) {
      if (held.fingerprint === fingerprint) return { response: await held.response, isReplay: true };
      const message = 'was already used for a different request. Use a new key for each request.';
      throw RequestError.of('ERR_IDEMPOTENCY_KEY_REUSED', 'Idempotency-Key', message);
    }
    const response = perform();
    const entry = { fingerprint, response, endsAt: this.clock.now() + this.retentionMs };
    this.#held.set(name, entry, { size: KEY_OVERHEAD + request.body.length });
    try {
      return { response: await response, isReplay: false };
    } catch (error) {
      if (this.#held.peek(name) === entry) this.#held.delete(name);
      throw error;
    }
  }
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
