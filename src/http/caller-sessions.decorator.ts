import { type ExecutionContext, Injectable, type PipeTransform, createParamDecorator } from '@nestjs/common';
import { DistributedSessionManager, type ServiceCredential, guardedRequestOf } from 'nestjs-distributed-session';

/** The manager on behalf of a service, with its permissions enforced. */
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

/** `manager.as(service)` of the service that calls: the only way in which routes reach the sessions. */
export const CallerSessions = (): ParameterDecorator => callingService(ActAsService);
