import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { storeClaim } from '../connection/store-claim.js';
import { type MasterShard, masterShards } from '../connection/redis-client.js';
import type { RedisConnection } from '../connection/redis-connection.js';
import type { RedisRights } from '../connection/redis-rights.js';
import { packBeat, packRekeying } from '../records/change-message.js';
import { checkWritesScript, claimBeatScript, publishBeatScript } from '../scripts/heartbeat.script.js';
import { BEAT_SHARE, SILENT_ROUNDS } from '../../shared/feed-listeners.js';
import type { ServerClock } from '../../shared/server-clock.js';
import { WriteRejectedError } from '../../shared/storage-failure.js';
import type { SessionKeys } from '../session-keys.js';
import type { FeedKey } from './feed-key.js';
import type { RedisChangeFeed } from './redis-change-feed.js';
import { TagKeyChange } from './tag-key-change.js';

interface HeartbeatContext {
  readonly connection: RedisConnection;
  readonly keys: SessionKeys;
  readonly clock: ServerClock;
  readonly feed: RedisChangeFeed;
  readonly feedKey: FeedKey;
  /** A user without the right to send heartbeats relies on those of other processes. */
  readonly rights: RedisRights;
}

/**
 * Once per interval: makes every master publish a heartbeat on the feed, unless another process just did, synchronises
 * the clock with the master's time, and checks that the store still belongs to services with the same tag key and feed
 * key.
 *
 * The nodes of a cluster may lose a message on its way from one to another. So a heartbeat contains the last numbers of
 * its master's streams, which are read before it is published: every feed receives these changes before the heartbeat, or
 * has lost them.
 */
export class Heartbeat {
  readonly #logger = new Logger('RedisSessionStorage');
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #storeError: string | undefined;
  /** The last nonce that was seen of each master. */
  readonly #seen = new Map<string, string>();
  /**
   * The times of the last rounds in which every master sent a heartbeat, by the monotonic clock. Counts rounds, because
   * this process may have been suspended.
   */
  #rounds: number[] = [];

  readonly #tagKeyChange: TagKeyChange;

  constructor(
    private readonly context: HeartbeatContext,
    private readonly intervalMs: number,
    deadlineMs: number,
  ) {
    this.#tagKeyChange = new TagKeyChange(context, { intervalMs, deadlineMs }, (content) =>
      this.#publishOnFirst(content),
    );
  }

  /** The error that forbids this process to use the store, or `undefined`. */
  get storeError(): string | undefined {
    return this.#storeError;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#round ??= this.#beat().finally(() => {
        this.#round = undefined;
      });
    }, this.intervalMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }

  /** Makes every master publish a heartbeat. Fails on a master that would reject a session. */
  async send(): Promise<void> {
    await this.#checkStore();
    await this.checkWrites();
    await this.#onEachMaster(async (master) => this.#claim(master, 0));
  }

  /** Fails on a master that would reject a session, and for a user that may not write. */
  async checkWrites(): Promise<void> {
    this.context.rights.requireWrites();
    await this.#onEachMaster(async (master) => this.#checkWrites(master));
  }

  /** Reads the number of the last change of every stream. */
  async readNumbers(): Promise<ReadonlyMap<string, number>> {
    const { sequences } = this.context.keys;
    return new Map(
      await Promise.all(sequences.map(async (stream) => [stream, await this.#readNumber(stream)] as const)),
    );
  }

  async #onEachMaster<Result>(act: (master: MasterShard) => Promise<Result>): Promise<Result[]> {
    const { connection, keys, feed } = this.context;
    const masters = masterShards(connection.client, keys);
    feed.expect(masters.map(({ shard }) => shard));
    return Promise.all(masters.map(act));
  }

  async #beat(): Promise<void> {
    const { rights, feed, clock } = this.context;
    try {
      await this.#checkStore();
      // The heartbeats of the others must not be replaced by some that they cannot recognise.
      if (this.#storeError !== undefined) return;
      await this.#tagKeyChange.round();
      await this.#settleDoubts();
      const interval = Math.max(1, Math.floor(this.intervalMs * BEAT_SHARE));
      const isSent = await this.#onEachMaster(async (master) => {
        return rights.may('beat') ? this.#claim(master, interval) : this.#look(master);
      });
      // If no process can send a heartbeat, a silent feed is not necessarily broken.
      if (isSent.includes(false)) return;
    } catch (error) {
      // The connection logs its own loss; the lag of the feed shows the rest.
      if (error instanceof WriteRejectedError) this.#rounds = [];
      // Without a connection for commands, the heartbeats on a new feed are not recognised.
      if (error instanceof WriteRejectedError || !feed.isAlive) return;
    }
    this.#rounds.push(clock.monotonic());
    if (this.#rounds.length > SILENT_ROUNDS && feed.renewIfSilentSince(this.#rounds.shift()!)) this.#rounds = [];
  }

  /** Checks whose store it is, and which key authenticates the feed: both may have changed if all data was lost. */
  async #checkStore(): Promise<void> {
    const { connection, keys, clock, feed, feedKey, rights } = this.context;
    const sentAt = clock.monotonic();
    const { error, storedFeedKey } = await storeClaim(connection, keys, feedKey, rights);
    if (error !== undefined && this.#storeError === undefined) {
      this.#logger.error(`This Redis server cannot be used: ${error}.`);
    }
    this.#storeError = error;
    if (error !== undefined || storedFeedKey === undefined) return;
    const rekeying = feed.keyRead(storedFeedKey, sentAt);
    if (rekeying !== undefined && rights.may('beat')) await this.#publishOnFirst(packRekeying(rekeying));
  }

  async #publishOnFirst(content: Buffer): Promise<void> {
    const [master] = masterShards(this.context.connection.client, this.context.keys);
    if (master) await this.#publish(master.shard, content);
  }

  /** Reads the numbers of the streams that may have gone back. */
  async #settleDoubts(): Promise<void> {
    const { feed, clock } = this.context;
    await Promise.all(
      feed.doubtful.map(async (doubtful) => {
        const sentAt = clock.monotonic();
        feed.settle(doubtful, await this.#readNumber(doubtful.stream), sentAt);
      }),
    );
  }

  async #readNumber(stream: string): Promise<number> {
    return Number(await this.context.connection.read('get', stream));
  }

  async #checkWrites({ shard }: MasterShard): Promise<void> {
    const { connection, keys, clock } = this.context;
    const sentAt = clock.monotonic();
    const [now] = (await connection.run(checkWritesScript, keys.shard(shard), {})) as [number];
    clock.observe(now, sentAt);
  }

  /** Sends a heartbeat, unless one was sent within the interval. Returns whether one was sent since the last round. */
  async #claim(master: MasterShard, interval: number): Promise<boolean> {
    const { connection, keys, clock } = this.context;
    const { shard } = master;
    const [sentAt, nonce] = [clock.monotonic(), newNonce()];
    const reply = await connection.run(claimBeatScript, keys.shard(shard), { interval, nonce });
    const [now, isClaimed, stored] = reply as [number, number, Buffer];
    clock.observe(now, sentAt);
    const previous = stored.toString();
    if (!isClaimed) return this.#seeing(shard, previous, sentAt);
    this.#seen.set(shard, nonce);
    this.context.feed.look(shard, { nonce, sentAt, isOwn: true });
    await this.#send(master, nonce, previous);
    return true;
  }

  /** Reads the last heartbeat that other processes have sent. Returns whether there was one since the last round. */
  async #look({ shard }: MasterShard): Promise<boolean> {
    const { connection, keys, clock } = this.context;
    const sentAt = clock.monotonic();
    const stored = await connection.read('get', keys.shard(shard).beat);
    await this.#readTime();
    const nonce = /^[\da-f]+(?= )/.exec(String(stored))?.[0];
    return nonce !== undefined && this.#seeing(shard, nonce, sentAt);
  }

  #seeing(shard: string, nonce: string, sentAt: number): boolean {
    const isNew = this.#seen.get(shard) !== nonce;
    this.#seen.set(shard, nonce);
    this.context.feed.look(shard, { nonce, sentAt, isOwn: false });
    return isNew;
  }

  async #readTime(): Promise<void> {
    const { connection, clock } = this.context;
    const sentAt = clock.monotonic();
    const [seconds, microseconds] = (await connection.read('time')) as readonly Buffer[];
    clock.observe(Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000), sentAt);
  }

  /** Publishes a heartbeat. The numbers are read first, so that they include all changes before it. */
  async #send({ shard, streams }: MasterShard, nonce: string, previous: string): Promise<void> {
    const { sequences } = this.context.keys;
    const numbers = streams.map(async (stream) => [stream, await this.#readNumber(sequences[stream]!)] as const);
    await this.#publish(
      shard,
      packBeat({ type: 'beat', shard, nonce, previous, last: new Map(await Promise.all(numbers)) }),
    );
  }

  async #publish(shard: string, content: Buffer): Promise<void> {
    const { connection, keys, feedKey } = this.context;
    const args = { channel: keys.channel, message: feedKey.seal(content) };
    await connection.run(publishBeatScript, keys.shard(shard), args);
  }
}

function newNonce(): string {
  return randomBytes(16).toString('hex');
}
