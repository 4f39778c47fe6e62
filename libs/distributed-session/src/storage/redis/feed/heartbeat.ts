import { Logger } from '@nestjs/common';
import { storeErrors } from '../connection/check-server.js';
import { type MasterShard, masterShards } from '../connection/redis-client.js';
import type { RedisConnection } from '../connection/redis-connection.js';
import { readOnlyUserError } from '../connection/redis-failure.js';
import { packBeat } from '../records/change-message.js';
import { checkWritesScript, claimBeatScript, publishBeatScript } from '../scripts/heartbeat.script.js';
import { BEAT_SHARE, SILENT_ROUNDS } from '../../shared/feed-listeners.js';
import type { ServerClock } from '../../shared/server-clock.js';
import { WriteRejectedError } from '../../shared/storage-failure.js';
import type { SessionKeys } from '../session-keys.js';
import type { RedisChangeFeed } from './redis-change-feed.js';

/**
 * Once per interval: makes every master publish a heartbeat on the feed, unless another process just did, synchronises
 * the clock with the master's time, and checks that the store still belongs to services with the same tag key.
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
  /** The times of the last rounds, by the server's clock. Counts rounds, because this process may have been suspended. */
  #rounds: number[] = [];

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: SessionKeys,
    private readonly clock: ServerClock,
    private readonly feed: RedisChangeFeed,
    private readonly intervalMs: number,
    /** A read-only user cannot send heartbeats and relies on those of other processes. */
    private readonly mayWrite: boolean,
  ) {}

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
    await this.#onEachMaster(async (master) => this.#publish(master, await this.#checkWrites(master)));
  }

  /** Fails on a master that would reject a session. */
  async checkWrites(): Promise<void> {
    await this.#onEachMaster(async (master) => this.#checkWrites(master));
  }

  async #onEachMaster(act: (master: MasterShard) => Promise<unknown>): Promise<void> {
    const masters = masterShards(this.connection.client, this.keys);
    this.feed.expect(masters.map(({ shard }) => shard));
    if (!this.mayWrite) {
      await this.#readTime();
      throw readOnlyUserError();
    }
    await Promise.all(masters.map(act));
  }

  async #beat(): Promise<void> {
    let isRejected = false;
    try {
      await this.#onEachMaster(async (master) => this.#sendUnlessSent(master)).catch((error: unknown) => {
        if (!(error instanceof WriteRejectedError)) throw error;
        isRejected = error.isTemporary;
      });
      const [error] = await storeErrors(this.connection, this.keys, this.mayWrite);
      if (error !== undefined && this.#storeError === undefined) {
        this.#logger.error(`This Redis server cannot be used: ${error}.`);
      }
      this.#storeError = error;
    } catch {
      // The connection logs its own loss; the lag of the feed shows the rest.
    }
    // If no process can send a heartbeat, a silent feed is not necessarily broken.
    if (isRejected) this.#rounds = [];
    else this.#rounds.push(this.clock.now());
    if (this.#rounds.length > SILENT_ROUNDS && this.feed.renewIfSilentSince(this.#rounds.shift()!)) this.#rounds = [];
  }

  async #readTime(): Promise<void> {
    const sentAt = performance.now();
    const [seconds, microseconds] = (await this.connection.read('time')) as readonly Buffer[];
    this.clock.observe(Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000), sentAt);
  }

  async #checkWrites({ shard }: MasterShard): Promise<number> {
    const sentAt = performance.now();
    const reply = await this.connection.run(checkWritesScript, this.keys.shard(shard), {});
    const [now] = reply as [number];
    this.clock.observe(now, sentAt);
    return now;
  }

  async #sendUnlessSent(master: MasterShard): Promise<void> {
    const sentAt = performance.now();
    const interval = Math.max(1, Math.floor(this.intervalMs * BEAT_SHARE));
    const reply = await this.connection.run(claimBeatScript, this.keys.shard(master.shard), { interval });
    const [now, isClaimed] = reply as [number, number];
    this.clock.observe(now, sentAt);
    if (isClaimed) await this.#publish(master, now);
  }

  /** Publishes the heartbeat of that time. The numbers are read later, so that they include all changes before it. */
  async #publish({ shard, streams }: MasterShard, at: number): Promise<void> {
    const numbers = streams.map(async (stream) => {
      return [stream, Number(await this.connection.read('get', this.keys.sequences[stream]!))] as const;
    });
    const message = packBeat({ type: 'beat', at, shard, last: new Map(await Promise.all(numbers)) });
    await this.connection.run(publishBeatScript, this.keys.shard(shard), { channel: this.keys.channel, message });
  }
}
