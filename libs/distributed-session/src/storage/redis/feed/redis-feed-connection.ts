import type { Cluster, Redis } from 'ioredis';
import { silenceCloseErrors } from '../connection/ioredis-fixes.js';
import type { FeedEvents } from '../../shared/feed-listeners.js';
import { Retries } from '../../shared/retries.js';
import { isCluster } from '../connection/redis-client.js';
import { rejectionOf } from '../connection/redis-failure.js';

/**
 * A subscription that reconnects by itself. The protocol requires a separate connection. Each attempt asks the Sentinels
 * or the cluster for the current master.
 */
export class RedisFeedConnection {
  readonly #retries = new Retries(() => this.open());
  #redis: Redis | undefined;

  constructor(
    private readonly client: Redis | Cluster,
    private readonly channel: string,
    private readonly events: FeedEvents<Buffer>,
  ) {}

  open(): void {
    const redis = this.#connection();
    if (!redis) return this.#retries.schedule();
    this.#redis = redis;
    let isOpen = false;
    redis.on('messageBuffer', (_channel: Buffer, message: Buffer) => {
      // A message that arrives together with the confirmation belongs to what was missed: it must not precede the gap.
      if (isOpen) this.events.onMessage(message);
    });
    // An error also ends the connection, which is handled below.
    let lost: unknown;
    redis.on('error', (error: unknown) => (lost = error));
    redis.on('end', () => {
      if (isOpen) this.events.onClose();
      if (this.#redis === redis) this.#retries.schedule();
    });
    const subscribe = async () => {
      await redis.connect();
      await redis.subscribe(this.channel);
      isOpen = true;
      this.#retries.succeeded();
      if (!this.#retries.isClosed) this.events.onOpen();
    };
    subscribe().catch((error: unknown) => {
      if (this.#redis === redis && !this.#retries.isClosed)
        this.events.onFailure(rejectionOf(error) ? error : (lost ?? error));
      redis.disconnect();
    });
  }

  /** Closes the connection, which opens another one. */
  renew(): void {
    this.#redis?.disconnect();
  }

  close(): void {
    this.#retries.close();
    this.#redis?.disconnect();
  }

  #connection(): Redis | undefined {
    const own = {
      lazyConnect: true,
      retryStrategy: null,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      connectTimeout: 1_000,
    };
    if (!isCluster(this.client)) return silenceCloseErrors(this.client.duplicate(own));
    const masters = this.client.nodes('master');
    const master = masters[this.#retries.count % masters.length];
    return master && silenceCloseErrors(master.duplicate({ ...own, readOnly: false }));
  }
}
