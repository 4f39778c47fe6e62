import {
  ServicePermissionError,
  SessionInputError,
  SessionNotFoundError,
  StorageOutcomeUnknownError,
  StorageUnavailableError,
} from 'nestjs-distributed-session';
import type { ServiceIdentity } from '../service/service-identity.js';
import { type Problem, errorOf } from './problem.js';

/** How long the session service may take to answer. */
const TIMEOUT_MS = 2_000;
/** The id of no session. */
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

export interface SessionServiceRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The segments of the path after `/v1`, not encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  /** Whether it changes nothing, so that a lost answer is no loss. */
  readonly isRead: boolean;
  /** The session that it is about, for the errors. */
  readonly sessionId?: string;
}

/** The session service over REST, as one service. Each request proves that service (HTTP Basic, RFC 7617). */
export class SessionServiceConnection {
  readonly #authorization: string;
  readonly #serviceId: string;

  constructor(
    /** Such as `https://sessions.internal`. */
    readonly url: string,
    { serviceId, secret }: ServiceIdentity,
  ) {
    this.#serviceId = serviceId;
    this.#authorization = `Basic ${Buffer.from(`${serviceId}:${secret}`).toString('base64')}`;
  }

  /** Throws unless the session service can be reached and takes the credential. */
  async prove(): Promise<void> {
    const request = { method: 'GET', path: ['sessions', NIL_UUID], isRead: true } as const;
    await this.send(request).catch((error: unknown) => {
      // Who asks is looked at first: only a proven service is told that there is no such session, or that it may not ask.
      if (!(error instanceof SessionNotFoundError || error instanceof ServicePermissionError)) throw error;
    });
  }

  /** What the session service answers; throws the error of the library for what it refuses. */
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
    throw errorOf(problem, { serviceId: this.#serviceId, sessionId });
  }

  #urlOf({ path, query = {} }: Pick<SessionServiceRequest, 'path' | 'query'>): URL {
    // However it is encoded, such a segment leads to another route.
    if (path.some((segment) => segment === '.' || segment === '..')) {
      throw new SessionInputError('id', 'format', 'must not be a dot or two.');
    }
    const url = new URL(['/v1', ...path.map(encodeURIComponent)].join('/'), this.url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }
}
