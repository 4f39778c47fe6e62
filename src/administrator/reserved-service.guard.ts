import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ServiceInputError, ServicePermissionError, guardedRequestOf } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';

interface ServiceRequest {
  readonly method: string;
  readonly params?: { readonly serviceId?: unknown };
  readonly body?: { readonly serviceId?: unknown } | null;
}

/**
 * Keeps changes away from two services: nobody registers the id that this process records for itself, and only a
 * service with every permission changes the administrator.
 */
@Injectable()
export class ReservedServiceGuard implements CanActivate {
  constructor(@Inject(environmentConfig.KEY) private readonly environment: Environment) {}

  canActivate(context: ExecutionContext): boolean {
    const { method, params, body } = context.switchToHttp().getRequest<ServiceRequest>();
    if (method === 'GET' || method === 'HEAD' || context.getHandler().name === 'verifyService') return true;
    const id = folded(params?.serviceId ?? body?.serviceId);
    const { SERVICE_ID, ADMIN_SERVICE_ID } = this.environment;
    if (id === folded(SERVICE_ID)) {
      throw new ServiceInputError('serviceId', 'is reserved for the session service itself. Choose another id.');
    }
    const { service } = guardedRequestOf(context);
    if (id === folded(ADMIN_SERVICE_ID) && service?.permissions.includes('*') !== true) {
      throw new ServicePermissionError(service?.serviceId ?? '', '*');
    }
    return true;
  }
}

/** Ids that differ only by case or dots are mistaken for each other. */
function folded(serviceId: unknown): string {
  return typeof serviceId === 'string' ? serviceId.toLowerCase().replaceAll('.', '') : '';
}
