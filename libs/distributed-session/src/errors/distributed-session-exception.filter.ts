import { type ArgumentsHost, Catch, HttpStatus } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { DistributedSessionError } from './distributed-session.error.js';
import { retryAfterSeconds, toHttpException } from './to-http-exception.js';

interface HeaderSetter {
  header(name: string, value: string): unknown;
}

/**
 * Converts this library's errors into HTTP responses; see {@link toHttpException}.
 *
 * @example
 * import { APP_FILTER } from '@nestjs/core';
 *
 * const provider = { provide: APP_FILTER, useClass: DistributedSessionExceptionFilter };
 */
@Catch(DistributedSessionError)
export class DistributedSessionExceptionFilter extends BaseExceptionFilter<DistributedSessionError> {
  override catch(error: DistributedSessionError, host: ArgumentsHost): void {
    const exception = toHttpException(error);
    if (host.getType() === 'http') {
      const retryAfter = retryAfterSeconds(error);
      const response = host.switchToHttp().getResponse<HeaderSetter>();
      if (retryAfter !== undefined) response.header('Retry-After', String(retryAfter));
      if (exception.getStatus() === (HttpStatus.UNAUTHORIZED as number)) {
        response.header('Cache-Control', 'no-store');
        response.header('WWW-Authenticate', 'Basic realm="services"');
      }
    }
    super.catch(exception as unknown as DistributedSessionError, host);
  }
}
