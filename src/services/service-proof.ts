import { HttpStatus } from '@nestjs/common';
import {
  type DistributedSessionManager,
  type ServiceCredential,
  ServiceAuthenticationError,
  toHttpException,
} from 'nestjs-distributed-session';
import type { VerifyServiceBody } from './verify-service.body.js';

/**
 * The service that the body proves. One that is not proven is a 422: a 401 would say that the caller is not. Failures are
 * counted by caller and source, so that what one caller passes on does not lock out another's.
 */
export async function proveService(
  sessions: DistributedSessionManager,
  caller: ServiceCredential,
  { serviceId, secret, source = '' }: VerifyServiceBody,
): Promise<ServiceCredential> {
  const options = { source: `${caller.serviceId} ${source}` };
  try {
    if (serviceId === undefined) return await sessions.verifyServiceSecret(secret, options);
    return await sessions.verifyService(serviceId, secret, options);
  } catch (error) {
    const isUnproven = error instanceof ServiceAuthenticationError && error.retryAfterMs === undefined;
    throw isUnproven ? toHttpException(error, HttpStatus.UNPROCESSABLE_ENTITY) : error;
  }
}
