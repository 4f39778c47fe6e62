import type { INestApplication } from '@nestjs/common';
import { Shutdown } from './shutdown.js';

/**
 * Ends the process on SIGTERM and SIGINT. Until the service listens, it ends at once: nobody has an answer to lose, and the
 * start may wait for a store that does not respond. After that, it stops in stages: not ready for `SHUTDOWN_DELAY_MS`,
 * then without event streams, then without requests, then without the store. SIGINT comes from a person and skips the
 * delay. Further signals change nothing: npm and terminals send the same one twice.
 */
export class StopSignals {
  #app: INestApplication | undefined;
  #stopping: Promise<void> | undefined;

  constructor() {
    process.on('SIGTERM', () => void this.#receive());
    process.on('SIGINT', () => {
      this.#app?.get(Shutdown, { strict: false }).hurry();
      void this.#receive();
    });
  }

  /** From now on, signals stop this application in stages. */
  stop(app: INestApplication): void {
    this.#app = app;
  }

  async #receive(): Promise<void> {
    const app = this.#app;
    // Without it, an open connection to the store would keep the process alive.
    if (!app) process.exit();
    this.#stopping ??= stopInStages(app);
    await this.#stopping;
  }
}

async function stopInStages(app: INestApplication): Promise<void> {
  try {
    await app.get(Shutdown, { strict: false }).announce();
    await app.close();
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
