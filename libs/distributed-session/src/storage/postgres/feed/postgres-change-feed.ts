import { Logger } from '@nestjs/common';
import { ChangeListeners } from '../../shared/change-listeners.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { StorageChange, StorageChangeListener } from '../../storage-change.js';
import type { PostgresClient } from '../connection/postgres-pool.js';
import { unpackChange } from '../records/change-message.js';
import { RowReader } from '../records/row-reader.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { flushChangesStatement } from '../statements/flush-changes.statement.js';
import { PostgresFeedConnection } from './postgres-feed-connection.js';
import { OwnWrites } from './own-writes.js';

/** So many rounds without a sign of life, and the feed opens another connection. */
const SILENT_ROUNDS = 3;
/** A heartbeat of another process that is younger than this share of the interval is enough. */
const BEAT_SHARE = 0.8;

interface FeedOptions {
  readonly heartbeatIntervalMs: number;
  readonly deadlineMs: number;
}

/**
 * The changes of all processes, by LISTEN and NOTIFY. They are written in the transaction that makes them, and announced
 * right after it, by its process or whoever is first: those of a session in their order. A connection that is cut misses
 * what is announced meanwhile: after each interruption listeners hear `feed.gap`. Heartbeats announce what somebody has
 * left behind, and show that nothing older is still to come.
 */
export class PostgresChangeFeed {
  readonly #logger = new Logger(PostgresChangeFeed.name);
  readonly #listeners = new ChangeListeners();
  readonly #origins = new WeakMap<StorageChange, string>();
  readonly writes = new OwnWrites();
  #connection: PostgresFeedConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  /** Whether something was written since the round under way began. */
  #isWanted = false;
  #isOpen = false;
  #wasOpen = false;
  /** When the last heartbeat was sent, by the clock of the server. */
  #lastBeatAt = -Infinity;
  #silentRounds = 0;

  constructor(
    private readonly names: SchemaNames,
    private readonly clock: ServerClock,
    private readonly options: FeedOptions,
  ) {}

  /** What this process wrote before, and has not heard of yet, is not told: it was before the subscription. */
  subscribe(listener: StorageChangeListener): () => void {
    const before = this.writes.before();
    return this.#listeners.subscribe((change) => {
      if (!this.writes.wasBefore(this.#origins.get(change), before)) listener(change);
    });
  }

  /** Resolves when it listens and works, or the first attempt has failed: further ones follow. */
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

  /** Has the server announce what was written until now; resolves when it has. Writes at the same time share a round. */
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
    this.#isOpen = false;
  }

  /** Whether the channel is listened to. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What was announced longer ago than this was delivered, or will be preceded by a gap. */
  lagMs(): number {
    return this.#isOpen ? Math.max(0, this.clock.now() - this.#lastBeatAt) : Infinity;
  }

  #opened(): void {
    this.#isOpen = true;
    this.#silentRounds = 0;
    if (this.#wasOpen) this.#listeners.publish({ type: 'feed.gap', at: this.clock.now() });
    this.#wasOpen = true;
    void this.flush();
  }

  #closed(): void {
    this.#isOpen = false;
    this.#lastBeatAt = -Infinity;
  }

  #receive(payload: string): void {
    const message = unpackChange(payload);
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

  /** Also learns the time of the server and, unless another process just had, has it send a heartbeat. */
  async #flushOnce(): Promise<void> {
    const connection = this.#connection;
    if (!connection || !this.#isOpen) return;
    const beat = this.clock.now() - this.#lastBeatAt >= this.options.heartbeatIntervalMs * BEAT_SHARE;
    const sentAt = performance.now();
    let reply: RowReader;
    try {
      const query = { ...flushChangesStatement.prepare(this.names), values: flushChangesStatement.pack({ beat }) };
      const [row = []] = await connection.ask(query);
      reply = new RowReader(row);
    } catch {
      // The connection is given up, and opened again: that is all there is to do.
      return;
    }
    const [now, isTold] = [reply.whole(), reply.boolean()];
    this.clock.observe(now, sentAt);
    if (!beat || !isTold || this.#lastBeatAt >= now) this.#silentRounds = 0;
    else if (++this.#silentRounds > SILENT_ROUNDS) this.#renew(connection);
  }

  #renew(connection: PostgresFeedConnection): void {
    this.#logger.warn('The change feed is silent although heartbeats are sent. Opening another connection.');
    this.#silentRounds = 0;
    connection.renew();
  }
}
