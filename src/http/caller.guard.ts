import type { IncomingMessage } from 'node:http';
import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ServiceAuthGuard, guardedRequestOf } from 'nestjs-distributed-session';
import { contextOf } from './request-context.js';

/** Proves the calling service, and notes the route and the service for the log and the metrics. */
@Injectable()
export class CallerGuard extends ServiceAuthGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = contextOf(context.switchToHttp().getRequest<IncomingMessage>());
    if (request) request.operation = context.getHandler().name;
    const isProven = await super.canActivate(context);
    if (request) request.serviceId = guardedRequestOf(context).service?.serviceId;
    return isProven;
  }
}
