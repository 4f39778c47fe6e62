import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';

/**
 * The first stage of a shutdown: the process is not ready, so that load balancers send their requests elsewhere, and
 * still serves those that they have not noticed yet.
 */
@Injectable()
export class Shutdown {
  readonly #logger = new Logger(Shutdown.name);
  readonly #hurry = new AbortController();
  #isAnnounced = false;

  constructor(@Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'shutdownDelayMs'>) {}

  /** Whether readiness checks report that the process stops. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  /** Makes the process not ready, and resolves after `SHUTDOWN_DELAY_MS`, or when {@link hurry} is called. */
  async announce(): Promise<void> {
    this.#isAnnounced = true;
    const { shutdownDelayMs } = this.environment;
    if (shutdownDelayMs === 0 || this.#hurry.signal.aborted) return;
    this.#logger.log(`Not ready any more; stops in ${shutdownDelayMs} ms.`);
    await wait(shutdownDelayMs, undefined, { signal: this.#hurry.signal }).catch(() => {});
  }

  /** Ends the delay: a person waits. */
  hurry(): void {
    this.#hurry.abort();
  }
}
