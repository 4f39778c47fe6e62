import { type CanActivate, type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { boundClass, moduleOfClass } from '../modules/bound-class.js';
import { ServiceAuthenticationError, ServicePermissionError } from '../errors/service.errors.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import { PermissionSet, parsePermission } from '../service/permission.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { serviceChallenge } from './challenge.js';
import { guardRejection } from './guard-rejection.js';
import { httpRequestOf } from './guarded-request.js';
import { type PermissionRequirement, allowsAnonymous, requirementsOfRoute } from './route-requirements.js';
import { refuseTransport } from './transport-refusals.js';
import { isSupported } from './unsupported-transport.js';

const NOT_DECLARED = '(none declared for this route)';
const HOW_TO_DECLARE =
  'This route declares no permission. Add @RequireServicePermission() or @AllowAnonymousService() to it.';

/**
 * Checks that the service that `ServiceAuthGuard` authenticated has every permission of `@RequireServicePermission()`.
 * Responds with 403 otherwise. An application does not start if a route under this guard has neither that decorator
 * nor `@AllowAnonymousService()`.
 *
 * @example
 * `class A { @UseGuards(ServiceAuthGuard, ServicePermissionGuard) @RequireServicePermission('order.read') list() {} }`
 *
 * @example
 * // For all routes:
 * const providers = [
 *   { provide: APP_GUARD, useClass: ServiceAuthGuard },
 *   { provide: APP_GUARD, useClass: ServicePermissionGuard },
 * ];
 */
@Injectable()
export class ServicePermissionGuard implements CanActivate {
  /**
   * Returns this guard for the module with this name; see `SessionGuard.for()`.
   *
   * @example
   * const provider = { provide: APP_GUARD, useClass: ServicePermissionGuard.for('admins') };
   *
   * @throws {OptionsError} if the name is invalid, or if the guard is one of a named module already.
   */
  static for<T extends new (...dependencies: never[]) => ServicePermissionGuard>(this: T, name: string): T {
    return boundClass(this, name);
  }

  /** The name of the guard's module; `undefined` for the module without a name. */
  protected readonly module: string | undefined = moduleOfClass(this.constructor);

  constructor(
    protected readonly reflector: Reflector,
    /** Without them, the challenge names no carrier. */
    @Optional() @Inject(RESOLVED_OPTIONS) protected readonly options?: Pick<ResolvedOptions, 'serviceCarriers'>,
  ) {}

  /** @throws {HttpException} 403, or 401 if no service is authenticated. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (allowsAnonymous(this.reflector, context, this.module)) return true;
    if (!isSupported(context)) return refuseTransport(this, this.reflector, context);
    const request = httpRequestOf(context, this.module);
    request.preventSharedCaching();
    try {
      if (!request.service) throw new ServiceAuthenticationError();
      this.check(requirementsOfRoute(context, this.module), request.service);
      return true;
    } catch (error) {
      throw guardRejection(error, request, this.challenge(), ['ERR_SERVICE_AUTHENTICATION']);
    }
  }

  /** Returns the `WWW-Authenticate` header of a 401. */
  protected challenge(): string {
    return serviceChallenge(this.options?.serviceCarriers ?? []);
  }

  /** @throws {ServicePermissionError} for the first missing permission. */
  protected check(required: readonly PermissionRequirement[], service: ServiceCredential): void {
    // The check at startup does not see routes that are added later, or a guard that another guard calls.
    if (required.length === 0) throw new ServicePermissionError(service.serviceId, NOT_DECLARED, HOW_TO_DECLARE);
    const granted = new PermissionSet(service.permissions);
    for (const { permission, forSomeAttributes } of required) {
      const parsed = parsePermission(permission);
      const isGranted = forSomeAttributes ? granted.grantsForSomeAttributes(parsed) : granted.grants(parsed);
      if (!isGranted) throw new ServicePermissionError(service.serviceId, permission);
    }
  }
}
