import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ManagerParts } from './manager-parts.js';

/** Opens and closes the manager with the application. It closes last, when the server takes no more requests. */
@Injectable()
export class SessionLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly parts: ManagerParts) {}

  async onModuleInit(): Promise<void> {
    await this.parts.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.parts.close();
  }
}
