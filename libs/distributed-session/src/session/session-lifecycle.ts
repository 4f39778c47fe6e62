import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DistributedSessionManager } from './distributed-session.manager.js';

/** Opens and closes the manager with the application. It closes last, when the server takes no more requests. */
@Injectable()
export class SessionLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly sessions: DistributedSessionManager) {}

  async onModuleInit(): Promise<void> {
    await this.sessions.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sessions.close();
  }
}
