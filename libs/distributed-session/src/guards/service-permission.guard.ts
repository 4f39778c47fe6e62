import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { PermissionRequirement } from './require-service-permission.decorator.js';
import { ServiceAuthenticationError, ServicePermissionError } from '../errors/service.errors.js';
import { PermissionSet, parsePermission } from '../service/permission.js';
import type { ServiceCredential } from '../service/service-credential.js';
import { guardRefusal } from './guard-refusal.js';
import { requestOf } from './guarded-request.js';
import { allowsAnonymous, requirementsOfRoute } from './route-requirements.js';

/**
 * Answers whether the service that `ServiceAuthGuard` found may call this route: 403 unless it has every permission
 * that `@RequireServicePermission()` asks for. A route under this guard that declares neither that nor
 * `@AllowAnonymousService()` stops the application from starting.
 */
@Injectable()
export class ServicePermissionGuard implements CanActivate {
  constructor(protected readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (allowsAnonymous(this.reflector, context)) return true;
    const request = requestOf(context);
    try {
      if (!request.service) throw new ServiceAuthenticationError();
      this.check(requirementsOfRoute(context), request.service);
      return true;
    } catch (error) {
      throw guardRefusal(error, request, 'Basic realm="services"', ['ERR_SERVICE_AUTHENTICATION']);
    }
  }

  /** Throws {@link ServicePermissionError} for the first permission that the service lacks. */
  protected check(required: readonly PermissionRequirement[], service: ServiceCredential): void {
    // The start of the application refuses such a route; this is for one that was added afterwards.
    if (required.length === 0) throw new ServicePermissionError(service.serviceId, '(none declared for this route)');
    const held = new PermissionSet(service.permissions);
    for (const { permission, partly } of required) {
      const asked = parsePermission(permission);
      if (partly ? held.grantsPartly(asked) : held.grants(asked)) continue;
      throw new ServicePermissionError(service.serviceId, permission);
    }
  }
}
