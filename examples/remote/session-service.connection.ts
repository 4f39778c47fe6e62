import {
  ServicePermissionError,
  SessionInputError,
  SessionNotFoundError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import type { ServiceIdentity } from '../service/shared-sessions.js';
import { type Problem, toLibraryError } from './problem.js';

/** Time limit for a response of the session service. */
const TIMEOUT_MS = 2_000;
/** An id that no session has. */
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

export interface SessionServiceRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The segments of the path after `/v1`, not encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  /** Whether the request changes nothing, so that a lost response has no consequence. */
  readonly isRead: boolean;
  /** The session that the request is about, for error messages. */
  readonly sessionId?: string;
}

/** A REST connection to the session service. Each request authenticates one service (HTTP Basic, RFC 7617). */
export class SessionServiceConnection {
  readonly #authorization: string;
  readonly #serviceId: string;

  constructor(
    /** For example `https://sessions.internal`. */
    readonly url: string,
    { serviceId, secret }: ServiceIdentity,
  ) {
    this.#serviceId = serviceId;
    this.#authorization = `Basic ${Buffer.from(`${serviceId}:${secret}`).toString('base64')}`;
  }

  /** Throws unless the session service is reachable and accepts the credential. */
  async authenticate(): Promise<void> {
    const request = { method: 'GET', path: ['sessions', NIL_UUID], isRead: true } as const;
    await this.send(request).catch((error: unknown) => {
      // Only an authenticated service receives these two errors.
      if (!(error instanceof SessionNotFoundError || error instanceof ServicePermissionError)) throw error;
    });
  }

  /** Returns the session service's response; throws the library's error for a problem. */
  async send<Answer>({ method, body, isRead, sessionId, ...where }: SessionServiceRequest): Promise<Answer> {
    let response: Response;
    let answer: unknown;
    const url = this.#urlOf(where);
    try {
      response = await fetch(url, {
        method,
        headers: { authorization: this.#authorization, ...(body && { 'content-type': 'application/json' }) },
        body: body && JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = await response.json();
    } catch (cause) {
      throw isRead
        ? new StorageUnavailableError(undefined, { cause })
        : new StorageOutcomeUnknownError(undefined, { cause });
    }
    if (response.ok) return answer as Answer;
    const problem = { status: response.status, ...(answer as object) } as Problem;
    throw toLibraryError(problem, { serviceId: this.#serviceId, sessionId });
  }

  #urlOf({ path, query = {} }: Pick<SessionServiceRequest, 'path' | 'query'>): URL {
    // Even encoded, such a segment leads to another route.
    if (path.some((segment) => segment === '.' || segment === '..')) {
      throw new SessionInputError('id', 'format', 'must not be "." or "..".');
    }
    const url = new URL(['/v1', ...path.map(encodeURIComponent)].join('/'), this.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }
}
