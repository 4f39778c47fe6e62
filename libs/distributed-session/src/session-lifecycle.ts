import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { assertNoCollisions } from './module-collisions.js';
import type { InstalledModules } from './modules/installed-modules.js';
import type { ManagerParts } from './session/manager-parts.js';

/** Connects a module's manager at startup, and closes it after the server has stopped accepting requests. */
export class SessionLifecycle implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger('DistributedSessionModule');
  readonly #parts: ManagerParts;
  readonly #modules: InstalledModules;

  constructor(parts: ManagerParts, modules: InstalledModules) {
    this.#parts = parts;
    this.#modules = modules;
  }

  /** @throws {OptionsError} before anything is connected, if two modules of the application collide. */
  async onModuleInit(): Promise<void> {
    assertNoCollisions(this.#modules);
    await this.#parts.connect();
  }

  /** A failure does not keep the application's other modules from closing. */
  async onApplicationShutdown(): Promise<void> {
    try {
      await this.#parts.close();
    } catch (error) {
      this.#logger.error('Closing the session storage failed.', error instanceof Error ? error.stack : undefined);
    }
  }
}
