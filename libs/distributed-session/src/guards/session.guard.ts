import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { boundClass, moduleOfClass } from '../modules/bound-class.js';
import { SessionInputError, SessionMissingError, SessionNotFoundError } from '../errors/session.errors.js';
import type { SessionCarrier } from '../model/credential-carriers.js';
import { isSessionId } from '../model/session-id.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import { looksGenerated } from '../service/service-secret.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import { type SessionCredential, parseCredential } from '../session/session-credential.js';
import { sessionChallenge } from './challenge.js';
import { guardRejection } from './guard-rejection.js';
import { type GuardedRequest, httpRequestOf } from './guarded-request.js';
import { AmbiguousCredentialError, authorization, onlyOne, singleHeader } from './request-credentials.js';
import { isOptionalSession } from './route-requirements.js';
import { singleCookie } from './session-cookie.js';
import { refuseTransport } from './transport-refusals.js';
import { isSupported } from './unsupported-transport.js';

const UNAUTHORIZED = ['ERR_SESSION_MISSING', 'ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_INPUT'];

/**
 * Verifies the session credential in the request, for `@CurrentSession()`. Responds with 401 without a live session,
 * including the reason if the session has ended; with 503 while the storage is unavailable. With `ServiceAuthGuard`
 * on the same route, in either order, the session contains only the attributes that the calling service may read.
 *
 * @example
 * `class Cart { @Get() @UseGuards(SessionGuard) show(@CurrentSession() session: Session) {} }`
 *
 * @example
 * // Subclasses override how the credential is read:
 * class TicketGuard extends SessionGuard {
 *   protected override extractCredential(request: GuardedRequest) {
 *     return request.headerValues('x-ticket')[0];
 *   }
 * }
 */
@Injectable()
export class SessionGuard implements CanActivate {
  /**
   * Returns this guard for the module with this name: a subclass, and always the same one. Apply it to the class that
   * you use, `TicketGuard.for('admins')`.
   *
   * @example
   * `class Office { @Get() @UseGuards(SessionGuard.for('admins')) show(@CurrentSession({ module: 'admins' }) s: Session) {} }`
   *
   * @throws {OptionsError} if the name is invalid, or if the guard is one of a named module already.
   */
  static for<T extends new (...dependencies: never[]) => SessionGuard>(this: T, name: string): T {
    return boundClass(this, name);
  }

  /** The name of the guard's module; `undefined` for the module without a name. */
  protected readonly module: string | undefined = moduleOfClass(this.constructor);

  constructor(
    protected readonly sessions: DistributedSessionManager,
    protected readonly reflector: Reflector,
    @Inject(RESOLVED_OPTIONS)
    protected readonly options: Pick<ResolvedOptions, 'sessionCarriers' | 'sessionCookieName'>,
  ) {}

  /** @throws {HttpException} 401, 403 or 503. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!isSupported(context)) return refuseTransport(this, this.reflector, context);
    const request = httpRequestOf(context, this.module);
    request.preventSharedCaching();
    let challenge = this.challenge();
    try {
      const credential = this.extractCredential(request);
      if (credential === undefined) throw missing(this.options.sessionCarriers);
      challenge = this.challenge('invalid_token');
      request.presentsSession = true;
      const sessions = request.service ? this.sessions.as(request.service) : this.sessions;
      request.assignSeen(await sessions.verifySession(credential));
      return true;
    } catch (error) {
      if (this.isOptional(context) && isWithoutSession(error)) {
        request.session = undefined;
        return true;
      }
      const rejection = error instanceof AmbiguousCredentialError ? ambiguous(error) : error;
      throw guardRejection(rejection, request, challenge, UNAUTHORIZED);
    }
  }

  /** Returns the credential in the request, or `undefined`. Rejects credentials in more than one place. */
  protected extractCredential(request: GuardedRequest): string | SessionCredential | undefined {
    const readers: Record<SessionCarrier, () => string | SessionCredential | undefined> = {
      cookie: () => this.extractFromCookie(request),
      bearer: () => this.extractFromBearer(request),
      headers: () => this.extractFromHeaders(request),
    };
    return onlyOne(
      this.options.sessionCarriers.map((carrier) => readers[carrier]()),
      hasForm,
    );
  }

  /** Reads the whole credential from the session cookie. */
  protected extractFromCookie(request: GuardedRequest): string | undefined {
    return singleCookie(request, this.options.sessionCookieName);
  }

  /** Reads the whole credential from a bearer token that is neither a service's secret nor `X-Session-Id`'s token. */
  protected extractFromBearer(request: GuardedRequest): string | undefined {
    const credential = authorization(request, 'bearer');
    const isOfService = credential !== undefined && looksGenerated(credential);
    return isOfService || isSessionId(this.#namedSession(request)) ? undefined : credential;
  }

  /** Reads the session id from `X-Session-Id`, and the token from the bearer token. */
  protected extractFromHeaders(request: GuardedRequest): SessionCredential | undefined {
    const sessionId = this.#namedSession(request);
    return sessionId === undefined ? undefined : { sessionId, token: authorization(request, 'bearer') ?? '' };
  }

  /** Returns `X-Session-Id`, which has no meaning unless `headers` is one of the configured carriers. */
  #namedSession(request: GuardedRequest): string | undefined {
    return this.options.sessionCarriers.includes('headers') ? singleHeader(request, 'x-session-id') : undefined;
  }

  /** Returns the `WWW-Authenticate` header of a 401. The error is set if the request has a credential. */
  protected challenge(error?: 'invalid_token'): string {
    return sessionChallenge(this.options.sessionCarriers, error);
  }

  /** Returns whether the route has `@OptionalSession()`. */
  protected isOptional(context: ExecutionContext): boolean {
    return isOptionalSession(this.reflector, context, this.module);
  }
}

/**
 * Returns whether the request has no credential, several, or one without a live session. On an optional route it is
 * anonymous, so that a stale or planted cookie cannot keep a user from the login page.
 */
function isWithoutSession(error: unknown): boolean {
  return (
    error instanceof SessionMissingError ||
    error instanceof SessionNotFoundError ||
    error instanceof SessionInputError ||
    error instanceof AmbiguousCredentialError
  );
}

function hasForm(credential: string | SessionCredential): boolean {
  try {
    parseCredential(credential);
    return true;
  } catch {
    return false;
  }
}

function missing(carriers: readonly SessionCarrier[]): SessionMissingError {
  return new SessionMissingError(`The request has no session credential. Send it in one of: ${carriers.join(', ')}.`);
}

function ambiguous(error: AmbiguousCredentialError): SessionInputError {
  return new SessionInputError('credential', 'format', `of the session is ambiguous: ${error.message}`);
}
