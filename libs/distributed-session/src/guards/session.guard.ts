import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { OPTIONAL_SESSION } from './decorators.js';
import { SessionInputError, SessionNotFoundError } from '../errors/session.errors.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import { looksGenerated } from '../service/service-secret.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import type { SessionCredential } from '../session/session-credential.js';
import type { SessionCarrier } from '../model/credential-carriers.js';
import { guardRefusal } from './guard-refusal.js';
import { type GuardedRequest, requestOf } from './guarded-request.js';
import { AmbiguousCredentialError, authorization, onlyOne, singleCookie, singleHeader } from './request-credentials.js';

/** Without an error code where no credential was sent (RFC 6750 section 3.1). */
const CHALLENGE = 'Bearer realm="session"';
const UNPROVEN = ['ERR_SESSION_NOT_FOUND', 'ERR_SESSION_ENDED', 'ERR_SESSION_INPUT'];

/**
 * Answers whose session it is: verifies the credential in the request, for `@CurrentSession()`. 401 without a live
 * session, with the reason where one has ended; 503 while the storage is down. After `ServiceAuthGuard`, the session
 * shows only the attributes that the calling service may read. Subclasses override how a credential is read.
 */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(
    protected readonly sessions: DistributedSessionManager,
    protected readonly reflector: Reflector,
    @Inject(RESOLVED_OPTIONS)
    protected readonly options: Pick<ResolvedOptions, 'sessionCarriers' | 'sessionCookieName'>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    let challenge = CHALLENGE;
    try {
      const credential = this.extractCredential(request);
      if (credential === undefined) throw missing(this.options.sessionCarriers);
      challenge = `${CHALLENGE}, error="invalid_token"`;
      const sessions = request.service ? this.sessions.as(request.service) : this.sessions;
      request.session = await sessions.verifySession(credential);
      return true;
    } catch (error) {
      if (this.isOptional(context) && isWithoutSession(error)) return true;
      const refusal = error instanceof AmbiguousCredentialError ? ambiguous(error) : error;
      throw guardRefusal(refusal, request, challenge, UNPROVEN);
    }
  }

  /** The credential in the request, or `undefined`. Two in different places are refused. */
  protected extractCredential(request: GuardedRequest): string | SessionCredential | undefined {
    const readers: Record<SessionCarrier, () => string | SessionCredential | undefined> = {
      cookie: () => this.extractFromCookie(request),
      bearer: () => this.extractFromBearer(request),
      headers: () => this.extractFromHeaders(request),
    };
    return onlyOne(this.options.sessionCarriers.map((carrier) => readers[carrier]()));
  }

  protected extractFromCookie(request: GuardedRequest): string | undefined {
    return singleCookie(request, this.options.sessionCookieName);
  }

  /** A whole credential as a bearer token. Not a service's secret, and not the token that goes with `X-Session-Id`. */
  protected extractFromBearer(request: GuardedRequest): string | undefined {
    const credential = authorization(request, 'bearer');
    const isOfService = credential !== undefined && looksGenerated(credential);
    return isOfService || this.#namedSession(request) !== undefined ? undefined : credential;
  }

  protected extractFromHeaders(request: GuardedRequest): SessionCredential | undefined {
    const sessionId = this.#namedSession(request);
    return sessionId === undefined ? undefined : { sessionId, token: authorization(request, 'bearer') ?? '' };
  }

  /** `X-Session-Id`, where it is a carrier: otherwise it means nothing. */
  #namedSession(request: GuardedRequest): string | undefined {
    return this.options.sessionCarriers.includes('headers') ? singleHeader(request, 'x-session-id') : undefined;
  }

  protected isOptional(context: ExecutionContext): boolean {
    const declaredOn = [context.getHandler(), context.getClass()];
    return this.reflector.getAllAndOverride<boolean | undefined>(OPTIONAL_SESSION, declaredOn) ?? false;
  }
}

/** A request without a credential, or with one that proves no live session: on an optional route, an anonymous one. */
function isWithoutSession(error: unknown): boolean {
  return error instanceof SessionNotFoundError || error instanceof SessionInputError;
}

function missing(carriers: readonly SessionCarrier[]): SessionInputError {
  return new SessionInputError(
    'credential',
    'empty',
    `of the session is missing. It is read from: ${carriers.join(', ')}.`,
  );
}

function ambiguous(error: AmbiguousCredentialError): SessionInputError {
  return new SessionInputError('credential', 'format', `of the session is ambiguous: ${error.message}`);
}
