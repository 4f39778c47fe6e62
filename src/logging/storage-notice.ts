import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';

/** Warns at every start that the in-memory storage loses its sessions when the process stops. */
@Injectable()
export class StorageNotice implements OnApplicationBootstrap {
  readonly #logger = new Logger('Storage');

  constructor(@Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'SESSION_STORAGE'>) {}

  onApplicationBootstrap(): void {
    if (this.environment.SESSION_STORAGE !== 'memory') return;
    this.#logger.warn(
      'SESSION_STORAGE is memory: sessions and services exist only in this process and are lost when it stops. Set SESSION_STORAGE to redis or postgres to keep and share them.',
    );
  }
}
