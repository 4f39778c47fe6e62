import { Logger } from '@nestjs/common';

const WARNING_INTERVAL_MS = 60_000;

/** Counts the messages without a valid code, and logs at most one warning a minute. */
export class IgnoredMessages {
  readonly #logger = new Logger('RedisSessionStorage');
  #count = 0;
  #warnedAt = -Infinity;

  /** @param monotonic - A clock of this process in milliseconds, which never goes back. */
  constructor(private readonly monotonic: () => number) {}

  add(): void {
    this.#count += 1;
    const now = this.monotonic();
    if (now - this.#warnedAt < WARNING_INTERVAL_MS) return;
    this.#logger.warn(
      `The change feed ignored ${this.#count} message${this.#count === 1 ? '' : 's'} that no process of this store has ` +
        'published. Allow only its processes to publish on the channel: docs/redis.md describes the rights.',
    );
    this.#count = 0;
    this.#warnedAt = now;
  }
}
