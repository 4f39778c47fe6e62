import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { BEAT_SHARE, FeedListeners, SILENT_ROUNDS } from '../../shared/feed-listeners.js';
import { FeedProblem } from '../../shared/feed-problem.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { StorageChange, StorageChangeListener } from '../../storage-change.js';
import type { FeedClient } from '../connection/open-feed.js';
import { SILENT_LISTEN, feedProblem, isLasting } from '../connection/postgres-failure.js';
import { toParameter } from '../connection/send-statement.js';
import type { PreparedStatement } from '../functions/postgres-statement.js';
import { CHANGES_PER_READ, readChanges } from '../functions/read-changes.function.js';
import { readPublishedChange } from '../records/published-change.js';
import type { SchemaNames } from '../schema/schema-names.js';
import { FeedFreshness } from './feed-freshness.js';
import { FeedPosition } from './feed-position.js';
import { OwnWrites } from './own-writes.js';
import { PacedRounds } from './paced-rounds.js';
import { PostgresFeedConnection } from './postgres-feed-connection.js';

/** The mean time between reads that notifications cause: everyone may notify, so the number of reads must have a bound. */
const READ_SPACING_MS = 10;
/** How often a start looks whether the first notification has arrived. */
const DELIVERY_POLL_MS = 5;
type ReadChange = ReturnType<typeof readChanges.parse>;

interface FeedOptions {
  readonly heartbeatIntervalMs: number;
  readonly deadlineMs: number;
  /** The interval of reads that replace notifications. */
  readonly feedPollIntervalMs?: number | undefined;
}

/**
 * Delivers the changes of all processes. A change is queued in the transaction that makes it, then published by any
 * process: numbered in a table that grants protect. Each process reads on from its own position, whenever a notification
 * wakes it up, and at every heartbeat. Everyone may send notifications, so nothing depends on what they contain. A
 * listener receives `feed.gap` after an interruption, and when changes were deleted before this process read them.
 */
export class PostgresChangeFeed {
  /** Why it does not work, or only late, while it does not. */
  readonly problem = new FeedProblem(new Logger('PostgresSessionStorage'));
  /** How the server rejected the last attempt to listen, if it did. */
  #rejection: string | undefined;
  readonly #listeners: FeedListeners;
  readonly #origins = new WeakMap<StorageChange, string>();
  readonly writes = new OwnWrites();
  readonly #rounds = new PacedRounds(async () => this.#read(), READ_SPACING_MS);
  readonly #freshness = new FeedFreshness();
  #position = new FeedPosition();
  readonly #statement: PreparedStatement;
  #connection: PostgresFeedConnection | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Whether the next round also publishes what waits, and deletes what is old. */
  #isFlushWanted = false;
  #isPurgeWanted = false;
  /** The highest number that a notification has announced since the last read; infinite if one contained no number. */
  #announced = 0;
  /** When the last notification arrived, by the monotonic clock. */
  #notifiedAt = -Infinity;
  #silentRounds = 0;
  #isSilent = false;

  constructor(
    private readonly names: SchemaNames,
    private readonly clock: ServerClock,
    private readonly options: FeedOptions,
  ) {
    this.#statement = readChanges.prepare(names);
    this.#listeners = new FeedListeners(clock);
  }

  /** Changes that this process made before subscribing are not delivered, even if they are published later. */
  subscribe(listener: StorageChangeListener): () => void {
    const before = this.writes.before();
    return this.#listeners.subscribe((change) => {
      if (!this.writes.wasBefore(this.#origins.get(change), before)) listener(change);
    });
  }

  /** Resolves when the feed works, or when the first attempt has failed: it is retried. */
  async open(openClient: () => Promise<FeedClient>): Promise<void> {
    const { heartbeatIntervalMs, feedPollIntervalMs, deadlineMs } = this.options;
    const channel = feedPollIntervalMs === undefined ? this.names.channel : undefined;
    this.#connection = new PostgresFeedConnection(
      { open: openClient, channel, deadlineMs },
      {
        onOpen: () => this.#listening(),
        onClose: () => this.#closed(),
        onMessage: (payload) => this.#receive(payload),
        onFailure: (error) => this.#failed(error),
      },
    );
    await this.#connection.open();
    await this.flush();
    await this.#checkDelivery();
    this.#timers.push(setInterval(() => this.#beat(), heartbeatIntervalMs).unref());
    if (feedPollIntervalMs !== undefined) {
      this.#timers.push(setInterval(() => void this.#rounds.run(), feedPollIntervalMs).unref());
    }
  }

  /** How the server rejects `LISTEN`, if it does: waiting does not help. */
  get rejection(): string | undefined {
    return this.#rejection;
  }

  #failed(error: unknown): void {
    const problem = feedProblem(error);
    this.#rejection = isLasting(error) ? problem : undefined;
    this.problem.report(problem);
  }

  #listening(): void {
    this.#rejection = undefined;
    if (!this.#isSilent) this.problem.resolved();
    void this.flush();
  }

  /** Waits for the notification that the first flush has sent. Without one, changes arrive at heartbeats only. */
  async #checkDelivery(): Promise<void> {
    const endsAt = performance.now() + this.options.deadlineMs;
    while (this.isOpen && this.options.feedPollIntervalMs === undefined && this.#notifiedAt === -Infinity) {
      if (performance.now() > endsAt) return this.#silent();
      await setTimeout(DELIVERY_POLL_MS);
    }
  }

  #silent(): void {
    this.#isSilent = true;
    this.problem.report(SILENT_LISTEN);
  }

  /** Publishes what has been written until now. Simultaneous writes share a round. */
  async flush(): Promise<void> {
    this.#isFlushWanted = true;
    await this.#rounds.run();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await this.flush();
    this.#rounds.cancelPaced();
    this.#connection?.close();
    this.#connection = undefined;
    this.#closed();
  }

  /** Whether the feed delivers changes. */
  get isOpen(): boolean {
    return this.#listeners.isOpen;
  }

  /** Every change committed longer ago than this has been delivered, or will be preceded by a gap. */
  lagMs(): number {
    return this.isOpen ? this.#freshness.lagMs() : Infinity;
  }

  #beat(): void {
    this.#isPurgeWanted = true;
    void this.flush();
  }

  #closed(): void {
    this.#listeners.closed();
    this.#freshness.reset();
    this.#position = new FeedPosition();
    this.#silentRounds = 0;
  }

  #receive(payload: string): void {
    this.#notifiedAt = performance.now();
    this.#silentRounds = 0;
    this.#isSilent = false;
    this.problem.resolved();
    if (payload === '') return;
    this.#announced = Math.max(this.#announced, /^\d+$/.test(payload) ? Number(payload) : Infinity);
    // A round in flight may return these changes, as after each write of this process.
    if (!this.#rounds.isRunning) this.#readAnnounced();
  }

  /** Reads announced changes, unless the announced number has already been read. */
  #readAnnounced(): void {
    if (this.#announced > (this.#position.number ?? 0)) this.#rounds.runPaced();
    this.#announced = 0;
  }

  /** Reads on to the last change, and publishes before it if that is wanted. */
  async #read(): Promise<void> {
    const [flush, purge, position] = [this.#isFlushWanted, this.#isPurgeWanted, this.#position];
    this.#isFlushWanted = false;
    this.#isPurgeWanted = false;
    let isAtEnd = false;
    while (!isAtEnd) {
      const beat = flush && this.#isBeatDue();
      const sentAt = performance.now();
      const rows = await this.#query({ after: position.number, flush, purge, beat });
      const [reply] = rows;
      // The connection was lost meanwhile, and is opened again.
      if (!reply || position !== this.#position) return;
      this.clock.observe(reply.now, sentAt);
      isAtEnd = this.#deliver(rows) && rows.length < CHANGES_PER_READ;
      // Any other read does not report what waits, so that it takes little time.
      if (isAtEnd && flush) this.#freshness.observe({ ...reply, sentAt });
      if (beat) this.#checkNotifications(sentAt);
    }
    this.#readAnnounced();
  }

  /** Whether to check that notifications arrive. Those of other processes suffice. */
  #isBeatDue(): boolean {
    const { heartbeatIntervalMs, feedPollIntervalMs } = this.options;
    return feedPollIntervalMs === undefined && performance.now() - this.#notifiedAt >= heartbeatIntervalMs * BEAT_SHARE;
  }

  async #query(values: Parameters<typeof readChanges.pack>[0]): Promise<readonly ReadChange[]> {
    try {
      const packed = readChanges.pack(values).map(toParameter);
      const rows = (await this.#connection?.query({ ...this.#statement, values: packed })) ?? [];
      return rows.map((row) => readChanges.parse(row));
    } catch {
      // The connection was dropped, and is opened again.
      return [];
    }
  }

  /** Returns whether the position is known now. After missing rows, it follows from the next read, and so does the gap. */
  #deliver(rows: readonly ReadChange[]): boolean {
    const isFirst = this.#position.number === null;
    const changes = this.#position.advance(rows);
    if (changes === undefined) return false;
    if (isFirst && this.isOpen) this.#listeners.publishGap();
    else if (isFirst) this.#listeners.opened();
    for (const { change: text } of changes) {
      const published = readPublishedChange(text);
      if (published?.origin !== undefined) this.#origins.set(published.change, published.origin);
      if (published) this.#listeners.publish(published.change);
      // A later release may have changed what copies contain.
      else this.#listeners.publishGap();
    }
    return true;
  }

  /** Listens again when no notification arrives, not even those of this process. Nothing is lost meanwhile. */
  #checkNotifications(sentAt: number): void {
    if (this.#notifiedAt >= sentAt || ++this.#silentRounds <= SILENT_ROUNDS) return;
    this.#silent();
    this.#silentRounds = 0;
    void this.#connection?.listen();
  }
}
