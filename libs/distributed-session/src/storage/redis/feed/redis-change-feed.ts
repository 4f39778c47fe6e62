import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { FeedListeners, SILENT_FEED } from '../../shared/feed-listeners.js';
import type { StorageChange, StorageChangeListener } from '../../storage-change.js';
import { type Beat, type NumberedChange, unpackRedisChange } from '../records/change-message.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { SessionKeys } from '../session-keys.js';
import { RedisFeedConnection } from './redis-feed-connection.js';

/** A change's stream, and its number in that stream. */
interface Position {
  readonly stream: string;
  readonly number: number;
}

/**
 * Receives the changes of all processes by pub/sub. Scripts publish a change in the same step in which they write it, so
 * a received change is committed. Pub/sub keeps no messages for a disconnected subscriber: after each interruption, and
 * when a number is missing, listeners receive `feed.gap`.
 */
export class RedisChangeFeed {
  readonly #logger = new Logger('RedisSessionStorage');
  readonly #listeners: FeedListeners;
  /** When the last heartbeat of each shard was sent, by the server's clock. */
  readonly #beats = new Map<string, number>();
  /** The last number received on each stream. */
  readonly #received = new Map<string, number>();
  /** The number of each stream in its last heartbeat. */
  readonly #counted = new Map<string, number>();
  readonly #positions = new WeakMap<StorageChange, Position>();
  /** The number of this process's last write on each stream. Replaced by a new map when the numbers may start over. */
  #written = new Map<string, number>();
  #connection: RedisFeedConnection | undefined;
  /** By the server's clock. */
  #openedAt = -Infinity;
  /** Changes may have been lost between the reconnection and the first heartbeats. */
  #awaitsNumbers = false;
  #expected: readonly string[] = [];

  constructor(
    private readonly keys: SessionKeys,
    private readonly clock: ServerClock,
  ) {
    this.#listeners = new FeedListeners(clock);
  }

  /** Subscribes. Changes that this process made before are not delivered, even if their message arrives later. */
  subscribe(listener: StorageChangeListener): () => void {
    const written = this.#written;
    const before = new Map(written);
    return this.#listeners.subscribe((change) => {
      const position = this.#positions.get(change);
      const isOld = position !== undefined && position.number <= (before.get(position.stream) ?? 0);
      if (!isOld || written !== this.#written) listener(change);
    });
  }

  /** Records the number of the last change of a write by this process. */
  wrote(stream: string, number: number): void {
    this.#written.set(stream, Math.max(number, this.#written.get(stream) ?? 0));
  }

  open(client: Redis | Cluster): void {
    this.#connection = new RedisFeedConnection(client, this.keys.channel, {
      onOpen: () => this.#opened(),
      onClose: () => this.#listeners.closed(),
      onMessage: (message) => this.#receive(message),
    });
    this.#connection.open();
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#listeners.closed();
  }

  /** Whether the subscription is active. */
  get isOpen(): boolean {
    return this.#listeners.isOpen;
  }

  /** Sets the shards that send heartbeats: one for each master. */
  expect(shards: readonly string[]): void {
    this.#expected = shards;
  }

  /** Reconnects if it was open at that time and a master's heartbeats have been missing since. Returns whether it did. */
  renewIfSilentSince(serverTime: number): boolean {
    if (!this.isOpen || Math.max(this.#openedAt, this.#oldestBeat()) > serverTime) return false;
    this.#logger.warn(SILENT_FEED);
    this.#listeners.closed();
    this.#connection?.renew();
    return true;
  }

  /** All changes that the masters published longer ago than this were delivered, or will follow a `feed.gap`. */
  lagMs(): number {
    if (!this.isOpen || this.#expected.length === 0) return Infinity;
    return Math.max(0, this.clock.now() - this.#oldestBeat());
  }

  #oldestBeat(): number {
    return Math.min(...this.#expected.map((shard) => this.#beats.get(shard) ?? -Infinity));
  }

  #opened(): void {
    this.#beats.clear();
    this.#received.clear();
    this.#counted.clear();
    this.#written = new Map();
    this.#openedAt = this.clock.now();
    this.#awaitsNumbers = this.#listeners.opened();
  }

  #publishGap(): void {
    this.#written = new Map();
    this.#listeners.publishGap();
  }

  #receive(message: Buffer): void {
    const entry = unpackRedisChange(message);
    if (entry === undefined) return;
    if (entry.type === 'beat') this.#receiveBeat(entry);
    else this.#publish(entry);
  }

  #receiveBeat({ shard, at, last }: Beat): void {
    const streams = Array.from(last, ([stream, number]) => this.#isInterrupted(this.keys.sequences[stream]!, number));
    this.#beats.set(shard, Math.max(at, this.#beats.get(shard) ?? 0));
    const isFirst = this.#awaitsNumbers && this.lagMs() < Infinity;
    if (isFirst) this.#awaitsNumbers = false;
    if (streams.includes(true) || (isFirst && streams.length > 0)) this.#publishGap();
  }

  /** Returns whether a change of the stream is missing, or the stream went back because a failover lost writes. */
  #isInterrupted(stream: string, number: number): boolean {
    const last = this.#received.get(stream);
    const wentBack = number < (this.#counted.get(stream) ?? 0);
    this.#counted.set(stream, number);
    this.#received.set(stream, wentBack ? number : Math.max(number, last ?? 0));
    return wentBack || (last !== undefined && number > last);
  }

  #publish({ change, number }: NumberedChange): void {
    const stream =
      change.type === 'service.changed'
        ? this.keys.serviceSequence
        : this.keys.shard(change.sessionId.slice(0, 2)).sequence;
    const last = this.#received.get(stream);
    this.#received.set(stream, number);
    if (last !== undefined && number !== last + 1) this.#publishGap();
    this.#positions.set(change, { stream, number });
    this.#listeners.publish(change);
  }
}
