import type { Logger } from '@nestjs/common';

/** Why the change feed does not work, while it does not: logged once for each reason, and part of the storage's health. */
export class FeedProblem {
  #reason: string | undefined;

  constructor(private readonly logger: Logger) {}

  /** A sentence, or `undefined` while the feed works. */
  get reason(): string | undefined {
    return this.#reason;
  }

  report(reason: string): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.logger.warn(reason);
  }

  resolved(): void {
    if (this.#reason === undefined) return;
    this.#reason = undefined;
    this.logger.log('The change feed works again.');
  }
}
