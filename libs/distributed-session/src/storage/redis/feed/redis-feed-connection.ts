import type { Cluster, Redis } from 'ioredis';
import { endQuietly } from '../connection/ioredis-fixes.js';
import { retryDelay } from '../../shared/retry-delay.js';
import { isCluster } from '../connection/redis-client.js';

/** What happens on the connection of a feed. */
export interface FeedEvents {
  /** The channel is subscribed. Whatever was announced before the first time, or while it was cut, was missed. */
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly onMessage: (message: Buffer) => void;
}

/**
 * A subscription that comes back by itself. It is a connection of its own, as the protocol wants it, to the master of
 * the moment: each attempt asks the Sentinels, or the cluster, anew.
 */
export class RedisFeedConnection {
  #redis: Redis | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(
    private readonly client: Redis | Cluster,
    private readonly channel: string,
    private readonly events: FeedEvents,
  ) {}

  open(): void {
    const redis = this.#connection();
    if (!redis) return this.#later();
    this.#redis = redis;
    let isOpen = false;
    redis.on('messageBuffer', (_channel: Buffer, message: Buffer) => this.events.onMessage(message));
    // What went wrong shows as its end; the connection for commands reports it.
    redis.on('error', () => {});
    redis.on('end', () => {
      if (isOpen) this.events.onClose();
      if (this.#redis === redis) this.#later();
    });
    const subscribe = async () => {
      await redis.connect();
      await redis.subscribe(this.channel);
      isOpen = true;
      this.#attempts = 0;
      if (!this.#isClosed) this.events.onOpen();
    };
    subscribe().catch(() => redis.disconnect());
  }

  /** Gives the connection up and opens another: the feed has been silent for too long. */
  renew(): void {
    this.#redis?.disconnect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#redis?.disconnect();
  }

  #later(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), retryDelay(this.#attempts++));
    this.#retry.unref();
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
    if (!isCluster(this.client)) return endQuietly(this.client.duplicate(own));
    const masters = this.client.nodes('master');
    const master = masters[this.#attempts % masters.length];
    return master && endQuietly(master.duplicate({ ...own, readOnly: false }));
  }
}
