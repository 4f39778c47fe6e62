import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DistributedSessionError } from '../errors/distributed-session.error.js';
import { StorageUnavailableError } from '../errors/storage.errors.js';
import { boundClass, moduleOfClass } from '../modules/bound-class.js';
import { IsDuration } from '../options/option-rules.js';
import { validateOptions } from '../options/validate-options.js';
import { SessionStorage } from '../storage/session-storage.js';

/** The limits of a health check. */
export interface DistributedSessionHealthOptions {
  /**
   * How long the storage may take to respond, in milliseconds.
   *
   * @default 1_000
   */
  readonly timeoutMs?: number;
  /**
   * How far the change feed may lag behind before the status is `degraded`, in milliseconds.
   *
   * @default 10_000
   */
  readonly maxFeedLagMs?: number;
}

/** The options with their defaults and rules. */
class ResolvedHealthOptions implements Required<DistributedSessionHealthOptions> {
  @IsDuration()
  readonly timeoutMs: number = 1_000;

  @IsDuration(0)
  readonly maxFeedLagMs: number = 10_000;
}

/**
 * Reports the health of the session storage to Terminus: `up`; `degraded` when sessions can be read but not written,
 * or when the change feed lags behind; `down` when the storage does not respond. Terminus 11 has no status `degraded`:
 * there it is `up`, with the same notes.
 *
 * @example
 * import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
 *
 * class HealthController {
 *   constructor(
 *     private readonly health: HealthCheckService,
 *     private readonly sessions: DistributedSessionHealthIndicator,
 *   ) {}
 *
 *   check() {
 *     return this.health.check([() => this.sessions.pingCheck('sessions')]);
 *   }
 * }
 */
@Injectable()
export class DistributedSessionHealthIndicator {
  /**
   * Returns this indicator for the module with this name: a subclass, and always the same one, as a provider and as its
   * token.
   *
   * @example
   * constructor(@Inject(DistributedSessionHealthIndicator.for('admins')) admins: DistributedSessionHealthIndicator) {}
   *
   * @throws {OptionsError} if the name is invalid, or if the indicator is one of a named module already.
   */
  static for<T extends new (...dependencies: never[]) => DistributedSessionHealthIndicator>(this: T, name: string): T {
    return boundClass(this, name);
  }

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly storage: SessionStorage,
  ) {}

  /**
   * Checks the storage once. The result's `notes` explain a `degraded` status.
   *
   * @param key - The name in the result, different for each indicator of a check: `distributedSession` by default, and
   *   `distributedSession:admins` for the module `admins`.
   *
   * @example
   * await sessionHealth.pingCheck('sessions', { timeoutMs: 500, maxFeedLagMs: 5_000 });
   *
   * @throws {OptionsError} with every invalid option at once.
   */
  async pingCheck<const Key extends string>(
    key: Key = this.#defaultKey() as Key,
    options: DistributedSessionHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const { timeoutMs, maxFeedLagMs } = validateOptions('pingCheck()', ResolvedHealthOptions, options);
    const check = this.indicators.check(key);
    const start = performance.now();
    const responseTime = () => Math.round(performance.now() - start);
    try {
      const notes = await within(timeoutMs, this.#notes(maxFeedLagMs));
      if (notes.length === 0) return check.up({ responseTime: responseTime() });
      // Terminus 11 knows only `up` and `down`.
      const canDegrade: boolean = 'degraded' in check;
      const data = { responseTime: responseTime(), notes };
      return canDegrade ? check.degraded(data) : check.up(data);
    } catch (error) {
      return check.down({ message: (error as Error).message, responseTime: responseTime() });
    }
  }

  #defaultKey(): string {
    const module = moduleOfClass(this.constructor);
    return module === undefined ? 'distributedSession' : `distributedSession:${module}`;
  }

  /** Returns the problems of a storage that responds. */
  async #notes(maxFeedLagMs: number): Promise<readonly string[]> {
    try {
      const { writable, notes } = await this.storage.ping();
      const isLagging = this.storage.feedLagMs() > maxFeedLagMs;
      return [
        ...(writable ? [] : ['sessions cannot be created or changed']),
        ...notes,
        ...(isLagging ? ['the change feed lags behind; cached data may be stale'] : []),
      ];
    } catch (error) {
      // A driver's error may contain an address or a password, and a health endpoint is often public.
      throw error instanceof DistributedSessionError ? error : new StorageUnavailableError();
    }
  }
}

/** @throws {Error} when the work takes longer. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`timeout of ${timeoutMs}ms exceeded`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
