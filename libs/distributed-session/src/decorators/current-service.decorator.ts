import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { requestOf } from '../guards/guarded-request.js';
import type { ServiceCredential } from '../service/service-credential.js';

/** The service that `ServiceAuthGuard` found, or `undefined` where an anonymous one is allowed. */
export const CurrentService: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): ServiceCredential | undefined => requestOf(context).service,
);
