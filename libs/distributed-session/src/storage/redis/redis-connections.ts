import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { StorageUnavailableError } from '../../errors/storage.errors.js';
import type { StorageHealth } from '../session-storage.operations.js';
import { UNOPENED_FEED } from '../shared/feed-listeners.js';
import { ServerClock } from '../shared/server-clock.js';
import { SharedOpening } from '../shared/shared-opening.js';
import { WriteRejectedError, closedStorage } from '../shared/storage-failure.js';
import { checkServers, refuse } from './connection/check-server.js';
import { logConnectionState, openClient } from './connection/open-client.js';
import { createClient, redisClientWarnings } from './connection/redis-client.js';
import { RedisConnection, type WriteReply } from './connection/redis-connection.js';
import type { RedisRights } from './connection/redis-rights.js';
import { FeedKey } from './feed/feed-key.js';
import { Heartbeat } from './feed/heartbeat.js';
import { RedisChangeFeed } from './feed/redis-change-feed.js';
import type { ResolvedRedisOptions } from './redis-session-storage.options.js';
import type { RedisScript, ScriptArgument } from './scripts/redis-script.js';
import type { SessionKeys } from './session-keys.js';

/** The resources of an open storage. */
interface Opened {
  readonly connection: RedisConnection;
  readonly heartbeat: Heartbeat;
  readonly rights: RedisRights;
  readonly stopLogging: () => void;
}

/** The resources to close, also after an incomplete opening. */
type Closing = Pick<Opened, 'connection' | 'stopLogging'> & { readonly heartbeat: Heartbeat | undefined };

const MIN_DELIVERY_MS = 1_000;

function undelivered(channel: string, ms: number): string {
  return (
    `it delivers no messages to subscribers: heartbeats were published on ${channel}, and none arrived within ${ms} ms. ` +
    'Connect past the proxy that does not forward them, or use a server with pub/sub'
  );
}

/** Opens and closes everything that connects to Redis: the command connection, the change feed and the heartbeat. */
export class RedisConnections {
  readonly #logger = new Logger('RedisSessionStorage');
  readonly clock = new ServerClock();
  readonly #feedKey = new FeedKey();
  readonly feed: RedisChangeFeed;
  readonly #opening = new SharedOpening<Opened>({
    open: async () => this.#open(),
    shut: async (opened) => this.#shut(opened),
  });

  constructor(
    private readonly options: ResolvedRedisOptions,
    private readonly keys: SessionKeys,
  ) {
    this.feed = new RedisChangeFeed(keys, this.clock, this.#feedKey);
  }

  /**
   * The connection for one call.
   *
   * @throws {StorageUnavailableError} when the storage is closed, or its store belongs to services with another tag key.
   */
  get connection(): RedisConnection {
    return this.#usable().connection.forCall();
  }

  /** Runs a script that writes. Listeners that subscribe later do not receive its change. */
  async write<Key extends string, Argument extends string>(
    script: RedisScript<Key | 'sequence', Argument>,
    keys: Readonly<Record<Key | 'sequence', string>>,
    args: Readonly<Record<Exclude<Argument, 'deadline' | 'channel' | 'feedKey'>, ScriptArgument>>,
    connection = this.connection,
  ): Promise<WriteReply> {
    const { channel, serviceSequence } = this.keys;
    this.#usable().rights.require(keys.sequence === serviceSequence ? 'write-services' : 'write-sessions');
    const all = { ...args, channel, feedKey: this.#feedKey.value } as Record<
      Exclude<Argument, 'deadline'>,
      ScriptArgument
    >;
    const reply = await connection.write(script, keys, all);
    if (reply.lastNumber > 0) this.feed.wrote(keys.sequence, reply.lastNumber);
    return reply;
  }

  async connect(): Promise<void> {
    await this.#opening.connect();
  }

  async close(): Promise<void> {
    await this.#opening.close();
  }

  /** Checks every master. If one of them rejects writes, the health is not writable and the note contains the reason. */
  async ping(): Promise<StorageHealth> {
    try {
      await this.#usable().heartbeat.checkWrites();
      return { writable: true, notes: this.#feedNotes };
    } catch (error) {
      if (!(error instanceof WriteRejectedError)) throw error;
      return { writable: false, notes: [error.message, ...this.#feedNotes] };
    }
  }

  get #feedNotes(): readonly string[] {
    const { reason } = this.feed.problem;
    return reason === undefined ? [] : [reason];
  }

  #usable(): Opened {
    const opened = this.#opening.current;
    if (!opened) throw closedStorage('Redis');
    const { storeError } = opened.heartbeat;
    if (storeError !== undefined) {
      throw new StorageUnavailableError(`This Redis server cannot be used: ${storeError}.`);
    }
    return opened;
  }

  async #open(): Promise<Opened> {
    const { options, keys, clock, feed } = this;
    const client = createClient(options);
    if (options.client) {
      for (const warning of redisClientWarnings(client)) {
        this.#logger.warn(`The client passed to RedisSessionStorage has an unsafe setting: ${warning}`);
      }
    }
    const endsAt = performance.now() + options.connectDeadlineMs;
    const stopLogging = logConnectionState(client, this.#logger);
    const connection = new RedisConnection(client, clock, options.deadlineMs);
    let heartbeat: Heartbeat | undefined;
    try {
      await openClient(client, options.connectDeadlineMs);
      const feedKey = this.#feedKey;
      const rights = await checkServers(connection, keys, feedKey, options, this.#logger);
      const context = { connection, keys, clock, feed, feedKey, rights };
      heartbeat = new Heartbeat(context, options.heartbeatIntervalMs, options.deadlineMs);
      feed.open(client, await heartbeat.readNumbers());
      await this.#waitForFeed(heartbeat, endsAt);
      heartbeat.start();
      return { connection, heartbeat, rights, stopLogging };
    } catch (error) {
      await this.#shut({ connection, heartbeat, stopLogging });
      throw error;
    }
  }

  /**
   * Waits for the first heartbeat. If no heartbeat can be sent, an open subscription is enough.
   *
   * @throws {OptionsError} when the server rejects the subscription, or does not deliver the heartbeats.
   */
  async #waitForFeed(heartbeat: Heartbeat, endsAt: number): Promise<void> {
    const { feed } = this;
    let canBeat = true;
    let openSince: number | undefined;
    while (canBeat ? feed.lagMs() === Infinity : !feed.isOpen) {
      if (feed.rejection !== undefined) refuse([`its change feed does not work: ${feed.rejection}`]);
      openSince = feed.isOpen && canBeat && !feed.isDelivering ? (openSince ?? performance.now()) : undefined;
      if (openSince !== undefined && performance.now() > Math.min(openSince + this.#deliveryMs, endsAt)) {
        refuse([undelivered(this.keys.channel, this.#deliveryMs)]);
      }
      if (performance.now() > endsAt) {
        this.#logger.warn(feed.problem.reason ?? UNOPENED_FEED);
        return;
      }
      await setTimeout(10);
      if (canBeat) canBeat = await this.#sendBeat(heartbeat);
    }
  }

  /** How long the first heartbeat may take. */
  get #deliveryMs(): number {
    return Math.max(MIN_DELIVERY_MS, 3 * this.options.deadlineMs);
  }

  async #sendBeat(heartbeat: Heartbeat): Promise<boolean> {
    try {
      await heartbeat.send();
      return true;
    } catch (error) {
      if (!(error instanceof WriteRejectedError)) throw error;
      if (error.isTemporary) {
        this.#logger.warn('Redis currently accepts no writes: sessions can be read, but not changed.');
      }
      return false;
    }
  }

  async #shut({ connection, heartbeat, stopLogging }: Closing): Promise<void> {
    await heartbeat?.stop();
    this.feed.close();
    await connection.settled();
    stopLogging();
    if (!this.options.client) connection.client.disconnect();
  }
}
