import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';
import type { CompletedRequest } from '../http/request-context.js';
import { Shutdown } from '../shutdown/shutdown.js';

const PROBES: readonly unknown[] = ['getLiveness', 'getReadiness', 'getMetrics'];

/**
 * Logs a line for every request. It contains the operation, never the path, in which a client may send a token by
 * mistake. Requests by probes and scrapers have the level `debug`, failures of the service the level `error`. That a process
 * which stops is not ready is no failure.
 */
@Injectable()
export class RequestLog {
  readonly #logger = new Logger('Request');

  constructor(
    @Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'logFormat'>,
    @Inject(Shutdown) private readonly shutdown: Pick<Shutdown, 'isAnnounced'>,
  ) {}

  write({ method, operation, status, milliseconds, serviceId, code, requestId }: CompletedRequest): void {
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
    this.#logger[this.#levelOf(status, operation)](message);
  }

  #levelOf(status: number, operation: string | undefined): 'debug' | 'log' | 'error' {
    const isExpected = operation === 'getReadiness' && this.shutdown.isAnnounced;
    if (status >= 500 && !isExpected) return 'error';
    return PROBES.includes(operation) ? 'debug' : 'log';
  }
}
