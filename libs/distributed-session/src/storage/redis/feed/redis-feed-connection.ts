import type { Cluster, Redis } from 'ioredis';
import { silenceCloseErrors } from '../connection/ioredis-fixes.js';
import { retryDelay } from '../../shared/retry-delay.js';
import { isCluster } from '../connection/redis-client.js';

/** The events of a feed's connection. */
export interface RedisFeedEvents {
  /** The subscription is active. Changes published before it, or since the last one was lost, were missed. */
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly onMessage: (message: Buffer) => void;
}

/**
 * A subscription that reconnects by itself. The protocol requires a separate connection. Each attempt asks the Sentinels
 * or the cluster for the current master.
 */
export class RedisFeedConnection {
  #redis: Redis | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(
    private readonly client: Redis | Cluster,
    private readonly channel: string,
    private readonly events: RedisFeedEvents,
  ) {}

  open(): void {
    const redis = this.#connection();
    if (!redis) return this.#later();
    this.#redis = redis;
    let isOpen = false;
    redis.on('messageBuffer', (_channel: Buffer, message: Buffer) => this.events.onMessage(message));
    // An error also ends the connection, which is handled below; the command connection logs it.
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

  /** Closes the connection, which opens another one. */
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
    if (!isCluster(this.client)) return silenceCloseErrors(this.client.duplicate(own));
    const masters = this.client.nodes('master');
    const master = masters[this.#attempts % masters.length];
    return master && silenceCloseErrors(master.duplicate({ ...own, readOnly: false }));
  }
}
