import { Inject, Injectable, Logger } from '@nestjs/common';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';
import type { SettledRequest } from '../http/request-context.middleware.js';

/**
 * A line for every request. It names the route and not the path: what a client puts into a path by mistake may be a
 * token. Requests of probes and scrapers are of the level `debug`, failures of the service itself of `error`.
 */
@Injectable()
export class RequestLog {
  readonly #logger = new Logger('Request');

  constructor(@Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'logFormat'>) {}

  write({ method, operation, status, milliseconds, serviceId, code, requestId }: SettledRequest): void {
    const line = {
      method,
      ...(operation !== undefined && { operation }),
      status,
      ...(code !== undefined && { code }),
      milliseconds: Math.round(milliseconds * 10) / 10,
      ...(serviceId !== undefined && { serviceId }),
      requestId,
    };
    const message = this.environment.logFormat === 'json' ? line : Object.values(line).join(' ');
    this.#logger[levelOf(status, operation)](message);
  }
}

const OF_MACHINES: readonly unknown[] = ['getLiveness', 'getReadiness', 'getMetrics'];

function levelOf(status: number, operation: string | undefined): 'debug' | 'log' | 'error' {
  if (status >= 500) return 'error';
  return OF_MACHINES.includes(operation) ? 'debug' : 'log';
}
