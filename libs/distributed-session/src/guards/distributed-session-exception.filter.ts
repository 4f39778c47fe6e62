import { type ArgumentsHost, Catch, HttpStatus, Inject, Optional } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { retryAfterSeconds, toHttpException } from '../errors/to-http-exception.js';
import { RESOLVED_OPTIONS, type ResolvedOptions } from '../resolve-options.js';
import { serviceChallenge, sessionChallenge } from './challenge.js';

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
  /** Without them, a challenge names no carrier that may not be configured. */
  @Optional()
  @Inject(RESOLVED_OPTIONS)
  protected readonly options?: Pick<ResolvedOptions, 'serviceCarriers' | 'sessionCarriers'>;

  override catch(error: DistributedSessionError, host: ArgumentsHost): void {
    const exception = toHttpException(error);
    if (host.getType() === 'http') {
      const retryAfter = retryAfterSeconds(error);
      const response = host.switchToHttp().getResponse<HeaderSetter>();
      if (retryAfter !== undefined) response.header('Retry-After', String(retryAfter));
      if (exception.getStatus() === (HttpStatus.UNAUTHORIZED as number)) {
        response.header('Cache-Control', 'private, no-store');
        response.header('WWW-Authenticate', this.#challengeOf(error));
      }
    }
    super.catch(exception as unknown as DistributedSessionError, host);
  }

  #challengeOf({ code }: DistributedSessionError): string {
    const { serviceCarriers = [], sessionCarriers = [] } = this.options ?? {};
    return code === 'ERR_SESSION_MISSING' ? sessionChallenge(sessionCarriers) : serviceChallenge(serviceCarriers);
  }
}
