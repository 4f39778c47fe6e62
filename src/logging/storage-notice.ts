import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';

/** Says at each start what an operator must not find out by losing sessions. */
@Injectable()
export class StorageNotice implements OnApplicationBootstrap {
  readonly #logger = new Logger('Storage');

  constructor(@Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'SESSION_STORAGE'>) {}

  onApplicationBootstrap(): void {
    if (this.environment.SESSION_STORAGE !== 'memory') return;
    this.#logger.warn(
      'SESSION_STORAGE is memory: sessions and services are not kept. They end when this process stops, a restart begins with none, and no other process sees them.',
    );
  }
}
