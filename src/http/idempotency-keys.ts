import { createHash } from 'node:crypto';
import type { Clock, VerifiedService } from 'nestjs-distributed-session';
import { ResponseShares, type StoredResponse } from './response-shares.js';
import { RequestError } from './problem.js';

/** A request with its key. Requests that agree in all fields are repeats of the same request. */
export interface IdempotentRequest {
  /** The caller: the same service, with the same secret and the same permissions. */
  readonly caller: Pick<VerifiedService, 'serviceId' | 'keyId' | 'version'>;
  readonly operation: string;
  readonly key: string;
  readonly body: string;
}

export interface IdempotentResponse {
  readonly response: unknown;
  readonly isReplay: boolean;
}

/**
 * Stores the responses to requests with an `Idempotency-Key` in the memory of this process for a limited time. A repeated
 * request gets the first one's response, even if the first is still in flight. Errors are not stored, so the key may be
 * used again. An entry belongs to the version of the caller's registration: whoever replaces a service, or has another
 * of its secrets or other permissions, gets no earlier response (ASVS 6.3.8).
 */
export class IdempotencyKeys {
  readonly #shares = new ResponseShares();

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
    const { serviceId, keyId, version } = request.caller;
    const name = digest(keyId, String(version), request.operation, request.key);
    const fingerprint = digest(request.body);
    const held = this.#shares.find(serviceId, name);
    if (held && this.clock.now() < held.endsAt) {
      if (held.fingerprint === fingerprint) return { response: await held.response, isReplay: true };
      const message = 'was already used for a different request. Use a new key for each request.';
      throw RequestError.of('ERR_IDEMPOTENCY_KEY_REUSED', 'Idempotency-Key', message);
    }
    const entry: StoredResponse = { fingerprint, response: perform(), endsAt: this.clock.now() + this.retentionMs };
    this.#shares.add(serviceId, name, entry);
    try {
      const response = await entry.response;
      this.#shares.resize(serviceId, name, entry, JSON.stringify(response ?? null).length);
      return { response, isReplay: false };
    } catch (error) {
      this.#shares.remove(serviceId, name, entry);
      throw error;
    }
  }

  /** Removes the entries of a service, or of all services. */
  forget(serviceId?: string): void {
    this.#shares.clear(serviceId);
  }
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
