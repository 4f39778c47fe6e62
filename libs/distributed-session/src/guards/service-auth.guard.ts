import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { boundClass, moduleOfClass } from '../modules/bound-class.js';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import type { ServiceCarrier } from '../model/credential-carriers.js';
import { isServiceId } from '../model/service-id.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import type { VerifiedService } from '../service/service-credential.js';
import { keyIdOf, looksGenerated } from '../service/service-secret.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import { basicCredentials } from './basic-credentials.js';
import { serviceChallenge } from './challenge.js';
import { guardRejection } from './guard-rejection.js';
import { type GuardedRequest, httpRequestOf } from './guarded-request.js';
import { AmbiguousCredentialError, authorization, onlyOne, singleHeader } from './request-credentials.js';
import { allowsAnonymous } from './route-requirements.js';
import { refuseTransport } from './transport-refusals.js';
import { isSupported } from './unsupported-transport.js';

/** The credential in a request: a service's secret, and its id unless a generated secret identifies it. */
export interface PresentedServiceCredential {
  readonly serviceId?: string;
  readonly secret: string;
}

/**
 * Authenticates the calling service by the credential in the request, for `@CurrentService()` and
 * `ServicePermissionGuard`. Responds with 401 without a valid credential, and does not reveal whether the service is
 * unknown or the secret is wrong; with 429 after too many failures from one source; with 503 while the storage is
 * unavailable.
 *
 * @example
 * `class Orders { @Get() @UseGuards(ServiceAuthGuard) list(@CurrentService() service: ServiceCredential) {} }`
 *
 * @example
 * // Subclasses override how the credential is read:
 * class ApiKeyGuard extends ServiceAuthGuard {
 *   protected override extractCredential(request: GuardedRequest) {
 *     const [secret] = request.headerValues('x-api-key');
 *     return secret === undefined ? undefined : { secret };
 *   }
 * }
 */
@Injectable()
export class ServiceAuthGuard implements CanActivate {
  /**
   * Returns this guard for the module with this name; see `SessionGuard.for()`.
   *
   * @example
   * const provider = { provide: APP_GUARD, useClass: ServiceAuthGuard.for('admins') };
   *
   * @throws {OptionsError} if the name is invalid, or if the guard is one of a named module already.
   */
  static for<T extends new (...dependencies: never[]) => ServiceAuthGuard>(this: T, name: string): T {
    return boundClass(this, name);
  }

  /** The name of the guard's module; `undefined` for the module without a name. */
  protected readonly module: string | undefined = moduleOfClass(this.constructor);

  constructor(
    protected readonly sessions: DistributedSessionManager,
    protected readonly reflector: Reflector,
    @Inject(RESOLVED_OPTIONS) protected readonly options: Pick<ResolvedOptions, 'serviceCarriers'>,
  ) {}

  /** @throws {HttpException} 401, 429 or 503. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!isSupported(context)) return refuseTransport(this, this.reflector, context);
    const request = httpRequestOf(context, this.module);
    request.preventSharedCaching();
    try {
      const presented = this.extractCredential(request);
      if (!presented && !allowsAnonymous(this.reflector, context, this.module)) throw new ServiceAuthenticationError();
      request.service = presented && (await this.verify(presented, request));
      request.assertMayReadSession();
      return true;
    } catch (error) {
      const rejection = error instanceof AmbiguousCredentialError ? new ServiceAuthenticationError() : error;
      throw guardRejection(rejection, request, this.challenge(), ['ERR_SERVICE_AUTHENTICATION']);
    }
  }

  /** Returns the credential in the request, or `undefined`. Rejects credentials in more than one place. */
  protected extractCredential(request: GuardedRequest): PresentedServiceCredential | undefined {
    const readers: Record<ServiceCarrier, () => PresentedServiceCredential | undefined> = {
      basic: () => this.extractFromBasic(request),
      bearer: () => this.extractFromBearer(request),
      headers: () => this.extractFromHeaders(request),
    };
    return onlyOne(
      this.options.serviceCarriers.map((carrier) => readers[carrier]()),
      hasForm,
    );
  }

  /** Reads the id and secret from HTTP Basic (RFC 7617). */
  protected extractFromBasic(request: GuardedRequest): PresentedServiceCredential | undefined {
    const credentials = basicCredentials(request);
    return credentials && { serviceId: credentials.user, secret: credentials.password };
  }

  /** Reads a generated secret. Any other bearer token has another purpose, such as the user's session. */
  protected extractFromBearer(request: GuardedRequest): PresentedServiceCredential | undefined {
    const secret = authorization(request, 'bearer');
    return secret !== undefined && looksGenerated(secret) ? { secret } : undefined;
  }

  /** Reads the id and secret from `X-Service-Id` and `X-Service-Secret`. */
  protected extractFromHeaders(request: GuardedRequest): PresentedServiceCredential | undefined {
    const serviceId = singleHeader(request, 'x-service-id');
    const secret = singleHeader(request, 'x-service-secret');
    return serviceId === undefined && secret === undefined
      ? undefined
      : { serviceId: serviceId ?? '', secret: secret ?? '' };
  }

  /** Verifies the credential. Failures are throttled by the caller's IP address. */
  protected async verify(
    { serviceId, secret }: PresentedServiceCredential,
    request: GuardedRequest,
  ): Promise<VerifiedService> {
    const options = { source: request.source };
    if (serviceId === undefined) return this.sessions.verifyServiceSecret(secret, options);
    return this.sessions.verifyService(serviceId, secret, options);
  }

  /** Returns the `WWW-Authenticate` header of a 401. */
  protected challenge(): string {
    return serviceChallenge(this.options.serviceCarriers);
  }
}

/** A part of a credential counts, too: the headers have no other purpose. */
function hasForm({ serviceId, secret }: PresentedServiceCredential): boolean {
  if (serviceId === undefined) return keyIdOf(secret) !== undefined;
  return serviceId === '' ? secret !== '' : isServiceId(serviceId);
}
