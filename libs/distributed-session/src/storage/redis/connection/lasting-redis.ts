import { Redis, type RedisOptions } from 'ioredis';

/**
 * A client that ends when it is told to, and not before. One of ioredis ends by itself, for good, when a Sentinel tells
 * of a failover just while the client asks who the master is.
 */
export class LastingRedis extends Redis {
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RedisOptions) {
    super({ ...options, replyMapping: 'legacy' });
    this.on('ready', () => {
      this.#attempts = 0;
    });
    this.on('end', () => this.#reopen());
  }

  override disconnect(reconnect = false): void {
    if (!reconnect) {
      this.#isClosed = true;
      clearTimeout(this.#retry);
    }
    super.disconnect(reconnect);
  }

  #reopen(): void {
    const delay = this.options.retryStrategy?.(++this.#attempts);
    if (this.#isClosed || typeof delay !== 'number') return;
    // What goes wrong is emitted as an error, and ends in another attempt.
    this.#retry = setTimeout(() => void this.connect().catch(() => {}), delay);
  }
}
