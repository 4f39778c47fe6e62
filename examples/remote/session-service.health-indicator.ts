import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { StorageUnavailableError } from 'nestjs-distributed-session';
import type {
  DistributedSessionHealthIndicator,
  DistributedSessionHealthOptions,
} from 'nestjs-distributed-session/terminus';
import { SessionServiceConnection } from './session-service.connection.js';

/** Tells Terminus whether the session service is ready: what the indicator of the library does where the storage is held. */
@Injectable()
export class SessionServiceHealthIndicator implements Pick<DistributedSessionHealthIndicator, 'pingCheck'> {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly service: SessionServiceConnection,
  ) {}

  async pingCheck<const Key extends string>(
    key: Key,
    { timeoutMs = 1_000 }: Pick<DistributedSessionHealthOptions, 'timeoutMs'> = {},
  ): Promise<HealthIndicatorResult<Key>> {
    return this.indicators
      .check(key)
      .attempt(() => this.#assertReady(timeoutMs))
      .withTimeout(timeoutMs);
  }

  /** It takes no credential: load balancers ask the same. */
  async #assertReady(timeoutMs: number): Promise<void> {
    const response = await fetch(new URL('/health/ready', this.service.url), {
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new StorageUnavailableError('The session service is not ready.');
  }
}
