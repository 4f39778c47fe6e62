import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ServiceAuthenticationError } from '../errors/service.errors.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { looksGenerated } from '../service/service-secret.js';
import { DistributedSessionManager } from '../session/distributed-session.manager.js';
import type { ServiceCarrier } from '../model/credential-carriers.js';
import { guardRefusal } from './guard-refusal.js';
import { type GuardedRequest, requestOf } from './guarded-request.js';
import {
  AmbiguousCredentialError,
  authorization,
  basicCredentials,
  onlyOne,
  singleHeader,
} from './request-credentials.js';
import { allowsAnonymous } from './route-requirements.js';

/** What a service presented: its secret, and its id unless the secret names it. */
export interface PresentedServiceCredential {
  readonly serviceId?: string;
  readonly secret: string;
}

/**
 * Answers who is calling: proves the service by the credential in the request, for `@CurrentService()` and
 * `ServicePermissionGuard`. 401 without a proof, one answer for an unknown service and a wrong secret; 429 for a
 * source that failed too often; 503 while the storage is down. Subclasses override how a credential is read.
 */
@Injectable()
export class ServiceAuthGuard implements CanActivate {
  constructor(
    protected readonly sessions: DistributedSessionManager,
    protected readonly reflector: Reflector,
    @Inject(RESOLVED_OPTIONS) protected readonly options: Pick<ResolvedOptions, 'serviceCarriers'>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    try {
      const presented = this.extractCredential(request);
      if (presented) request.service = await this.verify(presented, request);
      else if (!allowsAnonymous(this.reflector, context)) throw new ServiceAuthenticationError();
      return true;
    } catch (error) {
      const refusal = error instanceof AmbiguousCredentialError ? new ServiceAuthenticationError() : error;
      throw guardRefusal(refusal, request, this.challenge(), ['ERR_SERVICE_AUTHENTICATION']);
    }
  }

  /** The credential in the request, or `undefined`. Two in different places are refused. */
  protected extractCredential(request: GuardedRequest): PresentedServiceCredential | undefined {
    const readers: Record<ServiceCarrier, () => PresentedServiceCredential | undefined> = {
      basic: () => this.extractFromBasic(request),
      bearer: () => this.extractFromBearer(request),
      headers: () => this.extractFromHeaders(request),
    };
    return onlyOne(this.options.serviceCarriers.map((carrier) => readers[carrier]()));
  }

  protected extractFromBasic(request: GuardedRequest): PresentedServiceCredential | undefined {
    const credentials = basicCredentials(request);
    return credentials && { serviceId: credentials.user, secret: credentials.password };
  }

  /** Only a generated secret. Other bearer tokens are somebody else's, such as the user's session. */
  protected extractFromBearer(request: GuardedRequest): PresentedServiceCredential | undefined {
    const secret = authorization(request, 'bearer');
    return secret !== undefined && looksGenerated(secret) ? { secret } : undefined;
  }

  protected extractFromHeaders(request: GuardedRequest): PresentedServiceCredential | undefined {
    const serviceId = singleHeader(request, 'x-service-id');
    const secret = singleHeader(request, 'x-service-secret');
    return serviceId === undefined && secret === undefined
      ? undefined
      : { serviceId: serviceId ?? '', secret: secret ?? '' };
  }

  protected async verify(
    { serviceId, secret }: PresentedServiceCredential,
    request: GuardedRequest,
  ): Promise<ServiceCredential> {
    const options = { source: request.source };
    if (serviceId === undefined) return this.sessions.verifyServiceSecret(secret, options);
    return this.sessions.verifyService(serviceId, secret, options);
  }

  /** The `WWW-Authenticate` of a 401. */
  protected challenge(): string {
    const { serviceCarriers } = this.options;
    return serviceCarriers.includes('basic') ? 'Basic realm="services", charset="UTF-8"' : 'Bearer realm="services"';
  }
}
