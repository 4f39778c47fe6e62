import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { FeedListeners, SILENT_FEED } from '../../shared/feed-listeners.js';
import { FeedProblem } from '../../shared/feed-problem.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { StorageChange, StorageChangeListener } from '../../storage-change.js';
import { type Beat, type NumberedChange, type TagKeyMessage, unpackRedisChange } from '../records/change-message.js';
import { isLasting, subscriptionProblem } from '../connection/redis-failure.js';
import type { SessionKeys } from '../session-keys.js';
import { FeedFreshness, type Look } from './feed-freshness.js';
import type { FeedKey } from './feed-key.js';
import { IgnoredMessages } from './ignored-messages.js';
import { RedisFeedConnection } from './redis-feed-connection.js';
import { type DoubtfulStream, StreamNumbers } from './stream-numbers.js';

/** A change's stream, and its number in that stream. */
interface Position {
  readonly stream: string;
  readonly number: number;
}

/**
 * Receives the changes of all processes by pub/sub. Scripts publish a change in the same step in which they write it, so
 * a received change is committed. Pub/sub keeps no messages for a disconnected subscriber: after each interruption, and
 * when a number is missing, listeners receive `feed.gap`.
 *
 * Every user with rights on the channel can publish on it, and repeat what it has seen. So a message without the code of
 * the store's feed key is ignored, a change is delivered once, and no message decides alone how fresh the feed is.
 */
export class RedisChangeFeed {
  /** Why it does not work, while it does not. */
  readonly problem = new FeedProblem(new Logger('RedisSessionStorage'));
  /** Whether any message, of whomever, has arrived on this connection. */
  #hasReceived = false;
  /** Whether heartbeats were missing on an open subscription. */
  #isSilent = false;
  /** How the server rejected the last attempt to subscribe, if it did. */
  #rejection: string | undefined;
  readonly #listeners: FeedListeners;
  readonly #freshness: FeedFreshness;
  readonly #numbers = new StreamNumbers();
  readonly #ignored: IgnoredMessages;
  /** The nonces of the reports about another feed key that were received: each counts once. */
  readonly #rekeyings = new Set<string>();
  readonly #positions = new WeakMap<StorageChange, Position>();
  /** The number of this process's last write on each stream. Replaced by a new map when the numbers may start over. */
  #written = new Map<string, number>();
  /** Receives the messages about the key of the tags. */
  onTagKey: (message: TagKeyMessage) => void = () => {};
  #connection: RedisFeedConnection | undefined;
  /** Changes may have been lost between the reconnection and the first heartbeats. */
  #awaitsNumbers = false;

  constructor(
    private readonly keys: SessionKeys,
    private readonly clock: ServerClock,
    private readonly feedKey: FeedKey,
  ) {
    this.#listeners = new FeedListeners(clock);
    this.#freshness = new FeedFreshness(clock.monotonic);
    this.#ignored = new IgnoredMessages(clock.monotonic);
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

  /** @param numbers - The number of each stream, read before: earlier changes are not delivered. */
  open(client: Redis | Cluster, numbers: ReadonlyMap<string, number>): void {
    this.#numbers.startAfter(numbers);
    this.#connection = new RedisFeedConnection(client, this.keys.channel, {
      onOpen: () => this.#opened(),
      onClose: () => this.#listeners.closed(),
      onMessage: (message) => this.#receive(message),
      onFailure: (error) => this.#failed(error),
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

  /** How the server rejects subscriptions, if it does: waiting does not help. */
  get rejection(): string | undefined {
    return this.#rejection;
  }

  /** Whether messages arrive at all: of whomever, and whatever they are. */
  get isDelivering(): boolean {
    return this.#hasReceived;
  }

  /** Whether every master's heartbeats have arrived on this connection. */
  get isAlive(): boolean {
    return this.#freshness.isShown;
  }

  /** Sets the shards that send heartbeats: one for each master. */
  expect(shards: readonly string[]): void {
    this.#freshness.expect(shards);
  }

  /** Records what a call has found as a master's last heartbeat. */
  look(shard: string, look: Look): void {
    for (const early of this.#freshness.look(shard, look)) this.#receiveBeat(early);
  }

  /**
   * The store's feed key was read, by a call that was sent at this time of the monotonic clock. If it is another one, what
   * either process published in the meantime was not authentic to the other: returns the nonce to report this with.
   */
  keyRead(stored: string, sentAt: number): string | undefined {
    const isOther = this.feedKey.adopt(stored);
    this.#freshness.keyRead(sentAt);
    if (!isOther) return undefined;
    this.publishGap();
    const nonce = randomBytes(16).toString('hex');
    this.#rekeyings.add(nonce);
    return nonce;
  }

  /** The streams of which a message was ignored because its number was not new. */
  get doubtful(): readonly DoubtfulStream[] {
    return this.#numbers.doubtful;
  }

  /** Settles a doubt by the stored number, which a call has read that was sent at `sentAt`. */
  settle(doubtful: DoubtfulStream, stored: number, sentAt: number): void {
    if (this.#numbers.settle(doubtful, stored, sentAt)) this.publishGap();
  }

  /** Reconnects if it was open at that time of the monotonic clock and heartbeats have been missing since. */
  renewIfSilentSince(time: number): boolean {
    if (!this.isOpen || !this.#freshness.isSilentSince(time)) return false;
    this.#isSilent = true;
    this.problem.report(SILENT_FEED);
    this.#listeners.closed();
    this.#connection?.renew();
    return true;
  }

  /** All changes that the masters published longer ago than this were delivered, or will follow a `feed.gap`. */
  lagMs(): number {
    return this.isOpen ? Math.max(0, this.clock.monotonic() - this.#completeUntil) : Infinity;
  }

  publishGap(): void {
    this.#written = new Map();
    this.#listeners.publishGap();
  }

  get #completeUntil(): number {
    return Math.min(this.#freshness.completeUntil, this.#numbers.completeUntil);
  }

  #failed(error: unknown): void {
    const problem = subscriptionProblem(error);
    this.#rejection = isLasting(error) ? problem : undefined;
    this.problem.report(problem);
  }

  #opened(): void {
    this.#hasReceived = false;
    this.#rejection = undefined;
    if (!this.#isSilent) this.problem.resolved();
    this.#freshness.reopened();
    this.#numbers.reopened();
    this.#written = new Map();
    this.#awaitsNumbers = this.#listeners.opened();
  }

  #receive(sealed: Buffer): void {
    this.#hasReceived = true;
    const message = this.feedKey.open(sealed);
    if (message === undefined) return this.#ignored.add();
    const entry = unpackRedisChange(message);
    if (entry?.type === 'beat') this.#receiveBeat(entry);
    else if (entry?.type === 'change') this.#publish(entry);
    else if (entry === undefined) this.publishGap();
    else if (entry.type !== 'rekeying') this.onTagKey(entry);
    else if (!this.#rekeyings.has(entry.nonce)) {
      this.#rekeyings.add(entry.nonce);
      this.publishGap();
    }
  }

  #receiveBeat(beat: Beat): void {
    if (!this.#freshness.recognize(beat)) return;
    if (this.#freshness.isShown) {
      this.#isSilent = false;
      this.problem.resolved();
    }
    const streams = Array.from(beat.last, ([stream, number]) => {
      return this.#numbers.isInterrupted(this.keys.sequences[stream]!, number);
    });
    const isFirst = this.#awaitsNumbers && this.#freshness.isShown;
    if (isFirst) this.#awaitsNumbers = false;
    if (streams.includes(true) || (isFirst && streams.length > 0)) this.publishGap();
  }

  #publish({ change, number }: NumberedChange): void {
    const stream =
      change.type === 'service.changed'
        ? this.keys.serviceSequence
        : this.keys.shard(change.sessionId.slice(0, 2)).sequence;
    const received = this.#numbers.receive(stream, number);
    if (received === 'not-new') return this.#numbers.doubt(stream, this.#completeUntil);
    if (received === 'after-missing') this.publishGap();
    const dated = { ...change, at: Math.min(change.at, Math.ceil(this.clock.moment().latest)) };
    this.#positions.set(dated, { stream, number });
    this.#listeners.publish(dated);
  }
}
