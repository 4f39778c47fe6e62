import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { ChangeListeners } from '../../shared/change-listeners.js';
import type { StorageChange, StorageChangeListener } from '../../storage-change.js';
import { type NumberedChange, unpackChange } from '../records/change-message.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { SessionKeys } from '../session-keys.js';
import { RedisFeedConnection } from './redis-feed-connection.js';

/** Where a change stands: the stream that it is numbered in, and its number. */
interface Position {
  readonly stream: string;
  readonly number: number;
}

/**
 * The changes of all processes, by pub/sub. Scripts announce in the same step in which they write, so what is told has
 * happened. Pub/sub keeps nothing for who is away: after each interruption, and where a number is missing, listeners
 * hear `feed.gap`.
 */
export class RedisChangeFeed {
  readonly #logger = new Logger(RedisChangeFeed.name);
  readonly #listeners = new ChangeListeners();
  /** When the last heartbeat of each shard that sends one was sent, by the clock of the server. */
  readonly #beats = new Map<string, number>();
  /** The last number heard of each stream. */
  readonly #heard = new Map<string, number>();
  readonly #positions = new WeakMap<StorageChange, Position>();
  /** The last number that this process knows to have written, of each stream; a new map when numbers start over. */
  #written = new Map<string, number>();
  #connection: RedisFeedConnection | undefined;
  #isOpen = false;
  #wasOpen = false;
  #expected: readonly string[] = [];

  constructor(
    private readonly keys: SessionKeys,
    private readonly clock: ServerClock,
  ) {}

  /** What this process wrote before, and has not heard of yet, is not told: it was before the subscription. */
  subscribe(listener: StorageChangeListener): () => void {
    const written = this.#written;
    const before = new Map(written);
    return this.#listeners.subscribe((change) => {
      const position = this.#positions.get(change);
      const isOld = position !== undefined && position.number <= (before.get(position.stream) ?? 0);
      if (!isOld || written !== this.#written) listener(change);
    });
  }

  /** Notes the number of the last change that a write of this process made. */
  wrote(stream: string, number: number): void {
    this.#written.set(stream, Math.max(number, this.#written.get(stream) ?? 0));
  }

  open(client: Redis | Cluster): void {
    this.#connection = new RedisFeedConnection(client, this.keys.channel, {
      onOpen: () => this.#opened(),
      onClose: () => this.#closed(),
      onMessage: (message) => this.#receive(message),
    });
    this.#connection.open();
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#isOpen = false;
  }

  /** Whether the channel is subscribed. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Says which shards send heartbeats: one for each master. */
  expect(shards: readonly string[]): void {
    this.#expected = shards;
  }

  /** Opens another connection when no heartbeat of some master was heard since then; answers whether it did. */
  renewIfSilentSince(serverTime: number): boolean {
    if (!this.#isOpen || this.#oldestBeat() > serverTime) return false;
    this.#logger.warn('The change feed is silent although heartbeats are sent. Opening another connection.');
    this.#isOpen = false;
    this.#connection?.renew();
    return true;
  }

  /** What all masters announced longer ago than this was delivered, or will be preceded by a gap. */
  lagMs(): number {
    if (!this.#isOpen || this.#expected.length === 0) return Infinity;
    return Math.max(0, this.clock.now() - this.#oldestBeat());
  }

  #oldestBeat(): number {
    return Math.min(...this.#expected.map((shard) => this.#beats.get(shard) ?? -Infinity));
  }

  #opened(): void {
    this.#beats.clear();
    this.#heard.clear();
    this.#isOpen = true;
    if (this.#wasOpen) this.#tellGap();
    this.#wasOpen = true;
  }

  #tellGap(): void {
    this.#written = new Map();
    this.#listeners.publish({ type: 'feed.gap', at: this.clock.now() });
  }

  #closed(): void {
    this.#isOpen = false;
  }

  #receive(message: Buffer): void {
    const entry = unpackChange(message);
    if (entry === undefined) return;
    if (entry.type === 'beat') this.#beats.set(entry.shard, Math.max(entry.at, this.#beats.get(entry.shard) ?? 0));
    else this.#tell(entry);
  }

  #tell({ change, number }: NumberedChange): void {
    const stream =
      change.type === 'service.changed'
        ? this.keys.serviceSequence
        : this.keys.shard(change.sessionId.slice(0, 2)).sequence;
    const last = this.#heard.get(stream);
    this.#heard.set(stream, number);
    if (last !== undefined && number !== last + 1) this.#tellGap();
    this.#positions.set(change, { stream, number });
    this.#listeners.publish(change);
  }
}
