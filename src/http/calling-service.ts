import type { IncomingMessage } from 'node:http';
import { type ExecutionContext, Injectable, type PipeTransform, createParamDecorator } from '@nestjs/common';
import {
  DistributedSessionManager,
  ServiceAuthGuard,
  type ServiceCredential,
  guardedRequestOf,
} from 'nestjs-distributed-session';
import { contextOf } from './request-context.js';

/** Authenticates the calling service, and records the route and the service for the log and the metrics. */
@Injectable()
export class CallerGuard extends ServiceAuthGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = contextOf(context.switchToHttp().getRequest<IncomingMessage>());
    if (request) request.operation = context.getHandler().name;
    const isAllowed = await super.canActivate(context);
    if (request) request.serviceId = guardedRequestOf(context).service?.serviceId;
    return isAllowed;
  }
}

/** Returns the manager acting as a service, with that service's permissions enforced. */
@Injectable()
class ActAsService implements PipeTransform<ServiceCredential, DistributedSessionManager> {
  constructor(private readonly sessions: DistributedSessionManager) {}

  transform(service: ServiceCredential): DistributedSessionManager {
    return this.sessions.as(service);
  }
}

const callingService = createParamDecorator(
  (_data: unknown, context: ExecutionContext): ServiceCredential => guardedRequestOf(context).service!,
);

/** Injects `manager.as(service)` for the calling service. Routes access sessions only through it. */
export const CallerSessions = (): ParameterDecorator => callingService(ActAsService);
