import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { StorageUnavailableError } from '../errors/storage.errors.js';
import { SessionStorage } from '../storage/session-storage.js';

export interface DistributedSessionHealthOptions {
  /** How long the storage may take to answer, in milliseconds. Default 1,000. */
  readonly timeoutMs?: number;
  /** How far the change feed may be behind before that is called degraded, in milliseconds. Default 10,000. */
  readonly maxFeedLagMs?: number;
}

/**
 * Tells Terminus how the session storage is: `up`; `degraded` when sessions can be read but not written, or when the
 * news of other processes is late; `down` when it does not answer.
 */
@Injectable()
export class DistributedSessionHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly storage: SessionStorage,
  ) {}

  async pingCheck<const Key extends string>(
    key: Key,
    { timeoutMs = 1_000, maxFeedLagMs = 10_000 }: DistributedSessionHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const notes: string[] = [];
    const session = this.indicators.check(key);
    const result = await session
      .attempt(async () => {
        notes.push(...(await this.#notes(maxFeedLagMs)));
      })
      .withTimeout(timeoutMs);
    const { status, ...data } = result[key];
    return status === 'up' && notes.length > 0 ? session.degraded({ ...data, notes }) : result;
  }

  /** What is wrong with a storage that answers. */
  async #notes(maxFeedLagMs: number): Promise<readonly string[]> {
    try {
      const { writable, notes } = await this.storage.ping();
      const isLate = this.storage.feedLagMs() > maxFeedLagMs;
      return [
        ...(writable ? [] : ['sessions cannot be created or changed']),
        ...notes,
        ...(isLate ? ['changes made by other processes arrive late or not at all'] : []),
      ];
    } catch (error) {
      // What a driver says of its connection may hold an address or a password, and a health page is often public.
      throw error instanceof DistributedSessionError ? error : new StorageUnavailableError();
    }
  }
}
