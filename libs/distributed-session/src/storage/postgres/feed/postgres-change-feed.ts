import { Logger } from '@nestjs/common';
import { BEAT_SHARE, FeedListeners, SILENT_FEED, SILENT_ROUNDS } from '../../shared/feed-listeners.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { StorageChange, StorageChangeListener } from '../../storage-change.js';
import type { PostgresClient } from '../connection/postgres-pool.js';
import { flushChanges } from '../functions/flush-changes.function.js';
import { readNotification } from '../records/change-message.js';
import type { Row } from '../records/row-reader.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { PostgresFeedConnection } from './postgres-feed-connection.js';
import { OwnWrites } from './own-writes.js';

interface FeedOptions {
  readonly heartbeatIntervalMs: number;
  readonly deadlineMs: number;
}

/**
 * Delivers the changes of all processes by LISTEN and NOTIFY. A change is queued in the transaction that makes it, and
 * published right after it by any process, in order for each session. A lost connection misses what is published
 * meanwhile, so listeners receive `feed.gap` after each interruption. Heartbeats publish what another process left
 * behind, and show that nothing older is still to come.
 */
export class PostgresChangeFeed {
  readonly #logger = new Logger('PostgresSessionStorage');
  readonly #listeners: FeedListeners;
  readonly #origins = new WeakMap<StorageChange, string>();
  readonly writes = new OwnWrites();
  #connection: PostgresFeedConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  /** Whether something was written since the current round began. */
  #isWanted = false;
  /** When the last heartbeat was sent, by the server's clock. */
  #lastBeatAt = -Infinity;
  #silentRounds = 0;

  constructor(
    private readonly names: SchemaNames,
    private readonly clock: ServerClock,
    private readonly options: FeedOptions,
  ) {
    this.#listeners = new FeedListeners(clock);
  }

  /** Changes that this process made before subscribing are not delivered, even if their message arrives later. */
  subscribe(listener: StorageChangeListener): () => void {
    const before = this.writes.before();
    return this.#listeners.subscribe((change) => {
      if (!this.writes.wasBefore(this.#origins.get(change), before)) listener(change);
    });
  }

  /** Resolves when the feed works, or when the first attempt has failed: it is retried. */
  async open(openClient: () => Promise<PostgresClient>): Promise<void> {
    const { heartbeatIntervalMs, deadlineMs } = this.options;
    this.#connection = new PostgresFeedConnection(
      { open: openClient, channel: this.names.channel, deadlineMs },
      {
        onOpen: () => this.#opened(),
        onClose: () => this.#closed(),
        onMessage: (payload) => this.#receive(payload),
      },
    );
    await this.#connection.open();
    await this.flush();
    this.#timer = setInterval(() => void this.flush(), heartbeatIntervalMs);
    this.#timer.unref();
  }

  /** Publishes what has been written until now. Simultaneous writes share a round. */
  async flush(): Promise<void> {
    this.#isWanted = true;
    this.#round ??= this.#flushWanted().finally(() => {
      this.#round = undefined;
    });
    await this.#round;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
    this.#connection?.close();
    this.#connection = undefined;
    this.#listeners.closed();
  }

  /** Whether the feed listens on the channel. */
  get isOpen(): boolean {
    return this.#listeners.isOpen;
  }

  /** Every change published longer ago than this has been delivered, or will be preceded by a gap. */
  lagMs(): number {
    return this.isOpen ? Math.max(0, this.clock.now() - this.#lastBeatAt) : Infinity;
  }

  #opened(): void {
    this.#silentRounds = 0;
    this.#listeners.opened();
    void this.flush();
  }

  #closed(): void {
    this.#listeners.closed();
    this.#lastBeatAt = -Infinity;
  }

  #receive(payload: string): void {
    const message = readNotification(payload);
    if (message === undefined) return;
    if (message.type === 'beat') {
      this.#lastBeatAt = Math.max(this.#lastBeatAt, message.at);
      return;
    }
    const { change, origin } = message;
    if (origin !== undefined) this.#origins.set(change, origin);
    this.#listeners.publish(change);
  }

  async #flushWanted(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#flushOnce();
    }
  }

  /** Also reads the server's time and, unless another process has just sent one, sends a heartbeat. */
  async #flushOnce(): Promise<void> {
    const connection = this.#connection;
    if (!connection || !this.isOpen) return;
    const beat = this.clock.now() - this.#lastBeatAt >= this.options.heartbeatIntervalMs * BEAT_SHARE;
    const sentAt = performance.now();
    let row: Row;
    try {
      const query = { ...flushChanges.prepare(this.names), values: flushChanges.pack({ beat }) };
      [row = []] = await connection.query(query);
    } catch {
      // The connection was dropped, and is opened again.
      return;
    }
    const { now, isPublished } = flushChanges.parse(row);
    this.clock.observe(now, sentAt);
    if (!beat || !isPublished || this.#lastBeatAt >= now) this.#silentRounds = 0;
    else if (++this.#silentRounds > SILENT_ROUNDS) this.#reopen(connection);
  }

  #reopen(connection: PostgresFeedConnection): void {
    this.#logger.warn(SILENT_FEED);
    this.#silentRounds = 0;
    connection.reopen();
  }
}
