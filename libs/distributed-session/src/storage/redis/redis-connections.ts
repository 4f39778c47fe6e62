import { setTimeout } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { StorageUnavailableError } from '../../errors/storage.errors.js';
import type { StorageHealth } from '../session-storage.operations.js';
import { SharedOpening } from '../shared/shared-opening.js';
import { checkServers } from './connection/check-server.js';
import { openClient, reportConnection } from './connection/open-client.js';
import { createClient, dangersOf } from './connection/redis-client.js';
import { RedisConnection, type WriteReply } from './connection/redis-connection.js';
import { WriteRefusedError, forbidden } from './connection/redis-failure.js';
import { Heartbeat } from './feed/heartbeat.js';
import { RedisChangeFeed } from './feed/redis-change-feed.js';
import type { ResolvedRedisOptions } from './redis-session-storage.options.js';
import type { RedisScript, ScriptArgument } from './scripts/redis-script.js';
import { ServerClock } from '../shared/server-clock.js';
import type { SessionKeys } from './session-keys.js';

/** What is open while the storage is. */
interface Opened {
  readonly connection: RedisConnection;
  readonly heartbeat: Heartbeat;
  readonly mayWrite: boolean;
  readonly stopReports: () => void;
}

/** What there is to close, also of what was opened in part. */
type Closing = Pick<Opened, 'connection' | 'stopReports'> & { readonly heartbeat: Heartbeat | undefined };

/** Opens and closes what leads to Redis: the connection for commands, the change feed and the heartbeat. */
export class RedisConnections {
  readonly #logger = new Logger('RedisSessionStorage');
  readonly clock = new ServerClock();
  readonly feed: RedisChangeFeed;
  readonly #opening = new SharedOpening<Opened>({
    open: async () => this.#open(),
    shut: async (opened) => this.#shut(opened),
  });

  constructor(
    private readonly options: ResolvedRedisOptions,
    private readonly keys: SessionKeys,
  ) {
    this.feed = new RedisChangeFeed(keys, this.clock);
  }

  /** The connection, for one call. Throws where the storage is closed, or must not be used. */
  get connection(): RedisConnection {
    return this.#usable().connection.forCall();
  }

  /** Runs a script that writes, and remembers which change was its own: who subscribes later does not hear of it. */
  async write<Key extends string, Argument extends string>(
    script: RedisScript<Key | 'sequence', Argument>,
    keys: Readonly<Record<Key | 'sequence', string>>,
    args: Readonly<Record<Exclude<Argument, 'deadline' | 'channel'>, ScriptArgument>>,
    connection = this.connection,
  ): Promise<WriteReply> {
    if (!this.#usable().mayWrite) throw forbidden();
    const all = { ...args, channel: this.keys.channel } as Record<Exclude<Argument, 'deadline'>, ScriptArgument>;
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

  /** Writes to every master; what none but some refuse to write is said in plain words. */
  async ping(): Promise<StorageHealth> {
    try {
      await this.#usable().heartbeat.send(true);
      return { writable: true, notes: [] };
    } catch (error) {
      if (!(error instanceof WriteRefusedError)) throw error;
      return { writable: false, notes: [error.message] };
    }
  }

  #usable(): Opened {
    const opened = this.#opening.current;
    if (!opened) throw new StorageUnavailableError('The Redis session storage is closed. Connect it first.');
    const { fault } = opened.heartbeat;
    if (fault !== undefined) throw new StorageUnavailableError(`This Redis cannot be used: ${fault}.`);
    return opened;
  }

  async #open(): Promise<Opened> {
    const { options, keys, clock, feed } = this;
    const client = createClient(options);
    if (options.client) {
      for (const danger of dangersOf(client)) this.#logger.warn(`The client given to RedisSessionStorage: ${danger}`);
    }
    const end = performance.now() + options.connectDeadlineMs;
    const stopReports = reportConnection(client, this.#logger);
    const connection = new RedisConnection(client, clock, options.deadlineMs);
    let heartbeat: Heartbeat | undefined;
    try {
      await openClient(client, options.connectDeadlineMs);
      const mayWrite = await checkServers(connection, keys, options, this.#logger);
      heartbeat = new Heartbeat(connection, keys, clock, feed, options.heartbeatIntervalMs, mayWrite);
      feed.open(client);
      await this.#firstBeat(heartbeat, end);
      heartbeat.start();
      return { connection, heartbeat, mayWrite, stopReports };
    } catch (error) {
      await this.#shut({ connection, heartbeat, stopReports });
      throw error;
    }
  }

  /** Waits until the feed works. Where no heartbeat can be sent, it is enough that it is open. */
  async #firstBeat(heartbeat: Heartbeat, end: number): Promise<void> {
    let canBeat = true;
    while (canBeat ? this.feed.lagMs() === Infinity : !this.feed.isOpen) {
      if (performance.now() > end) {
        this.#logger.warn('The change feed does not work yet: changes of other processes are not heard until it does.');
        return;
      }
      await setTimeout(10);
      if (canBeat) canBeat = await this.#beats(heartbeat);
    }
  }

  async #beats(heartbeat: Heartbeat): Promise<boolean> {
    try {
      await heartbeat.send(true);
      return true;
    } catch (error) {
      if (!(error instanceof WriteRefusedError)) throw error;
      if (error.isTemporary) this.#logger.warn('Redis takes no writes now: sessions can be read, and not be changed.');
      return false;
    }
  }

  async #shut({ connection, heartbeat, stopReports }: Closing): Promise<void> {
    await heartbeat?.stop();
    this.feed.close();
    await connection.settled();
    stopReports();
    if (!this.options.client) connection.client.disconnect();
  }
}
