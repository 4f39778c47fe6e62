import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';
import { Shutdown } from './shutdown.js';

/**
 * Lets the server close during shutdown. Closes each connection after its in-flight response, although clients would
 * keep it alive, and closes all remaining connections after `SHUTDOWN_TIMEOUT_MS`. From the announcement on, responses
 * ask clients to connect elsewhere, so that few of them still use a connection when it is closed.
 */
@Injectable()
export class ConnectionDrain implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #responses = new Set<ServerResponse>();
  #isStopping = false;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly shutdown: Shutdown,
    @Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'SHUTDOWN_TIMEOUT_MS'>,
  ) {}

  onApplicationBootstrap(): void {
    this.#server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#responses.add(response);
      if (this.shutdown.isAnnounced) response.setHeader('Connection', 'close');
      response.once('close', () => {
        this.#responses.delete(response);
        if (this.#isStopping) socket.end();
      });
    });
  }

  beforeApplicationShutdown(): void {
    this.#isStopping = true;
    for (const response of this.#responses) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.environment.SHUTDOWN_TIMEOUT_MS);
    // A server that is already closed emits no further `close`.
    timer.unref();
    this.#server.once('close', () => clearTimeout(timer));
  }

  get #server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
