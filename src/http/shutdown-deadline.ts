import type { Server } from 'node:http';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';

/** Cuts the connections that are still open when requests under way have had their time. */
@Injectable()
export class ShutdownDeadline implements BeforeApplicationShutdown {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'SHUTDOWN_TIMEOUT_MS'>,
  ) {}

  beforeApplicationShutdown(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    const timer = setTimeout(() => server.closeAllConnections(), this.environment.SHUTDOWN_TIMEOUT_MS);
    server.once('close', () => clearTimeout(timer));
  }
}
