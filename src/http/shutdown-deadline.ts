import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';

/**
 * Lets the server close when it is told to stop: each connection with the answer that is under way on it, which clients
 * would keep alive otherwise, and those that are still open when requests under way have had their time.
 */
@Injectable()
export class ShutdownDeadline implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #answers = new Set<ServerResponse>();
  #isStopping = false;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'SHUTDOWN_TIMEOUT_MS'>,
  ) {}

  onApplicationBootstrap(): void {
    this.#server.on('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
      this.#answers.add(answer);
      answer.once('close', () => {
        this.#answers.delete(answer);
        if (this.#isStopping) socket.end();
      });
    });
  }

  beforeApplicationShutdown(): void {
    this.#isStopping = true;
    for (const answer of this.#answers) {
      if (!answer.headersSent) answer.setHeader('Connection', 'close');
    }
    const timer = setTimeout(() => this.#server.closeAllConnections(), this.environment.SHUTDOWN_TIMEOUT_MS);
    // A server that was closed before closes without a word.
    timer.unref();
    this.#server.once('close', () => clearTimeout(timer));
  }

  get #server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
