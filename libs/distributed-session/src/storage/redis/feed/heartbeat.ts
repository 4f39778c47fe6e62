import { Logger } from '@nestjs/common';
import { storeFaults } from '../connection/check-server.js';
import { masterShards } from '../connection/redis-client.js';
import type { RedisConnection } from '../connection/redis-connection.js';
import { WriteRefusedError, forbidden } from '../connection/redis-failure.js';
import { forceBeatScript, sendBeatScript } from '../scripts/send-beat.script.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { SessionKeys } from '../session-keys.js';
import type { RedisChangeFeed } from './redis-change-feed.js';

/** So many rounds without a sign of life, and the feed opens another connection. */
const SILENT_ROUNDS = 3;

/**
 * Once an interval, of every master: learns its time, has it send a heartbeat on the feed unless another process just
 * had, and checks that the store still belongs to services with the same tag key.
 */
export class Heartbeat {
  readonly #logger = new Logger(Heartbeat.name);
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #fault: string | undefined;
  /** When the last rounds were, by the clock of the server. Rounds, not time: this process may have stood still. */
  #rounds: number[] = [];

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: SessionKeys,
    private readonly clock: ServerClock,
    private readonly feed: RedisChangeFeed,
    private readonly intervalMs: number,
    /** Who may only read cannot send heartbeats, and relies on those of others. */
    private readonly mayWrite: boolean,
  ) {}

  /** Why this process must not use the store any more, or `undefined`. */
  get fault(): string | undefined {
    return this.#fault;
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

  /** Has every master send a heartbeat; rejects where one does not take it. With `force` also where it could not keep a session. */
  async send(force: boolean): Promise<void> {
    const masters = masterShards(this.connection.client, this.keys);
    this.feed.expect(masters.map(({ shard }) => shard));
    if (!this.mayWrite) {
      await this.#askForTime();
      throw forbidden();
    }
    await Promise.all(masters.map(async ({ shard }) => this.#sendTo(shard, force)));
  }

  async #beat(): Promise<void> {
    let isRefused = false;
    try {
      await this.send(false).catch((error: unknown) => {
        if (!(error instanceof WriteRefusedError)) throw error;
        isRefused = error.isTemporary;
      });
      const [fault] = await storeFaults(this.connection, this.keys, this.mayWrite);
      if (fault !== undefined && this.#fault === undefined) this.#logger.error(`This Redis cannot be used: ${fault}.`);
      this.#fault = fault;
    } catch {
      // The connection reports its own loss; the lag of the feed tells the rest.
    }
    // Where nobody can send a heartbeat, silence says nothing about the feed.
    if (isRefused) this.#rounds = [];
    else this.#rounds.push(this.clock.now());
    if (this.#rounds.length > SILENT_ROUNDS && this.feed.renewIfSilentSince(this.#rounds.shift()!)) this.#rounds = [];
  }

  async #askForTime(): Promise<void> {
    const sentAt = performance.now();
    const [seconds, microseconds] = (await this.connection.read('time')) as readonly Buffer[];
    this.clock.observe(Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000), sentAt);
  }

  async #sendTo(shard: string, force: boolean): Promise<void> {
    const { beat } = this.keys.shard(shard);
    const sentAt = performance.now();
    const interval = Math.max(1, Math.floor(this.intervalMs * 0.8));
    const args = { channel: this.keys.channel, shard, interval };
    const script = force ? forceBeatScript : sendBeatScript;
    const [now] = (await this.connection.run(script, { beat }, args)) as [number];
    this.clock.observe(now, sentAt);
  }
}
