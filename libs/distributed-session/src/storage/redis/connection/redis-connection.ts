import type { Cluster, Redis } from 'ioredis';
import { StorageUnavailableError } from '../../../errors/storage.errors.js';
import type { RedisScript, ScriptArgument } from '../scripts/redis-script.js';
import { InFlightCalls } from '../../shared/in-flight-calls.js';
import type { ServerClock } from '../../shared/server-clock.js';
import type { FailedCall } from '../../shared/storage-failure.js';
import { rejectionOf, toCheckError, toRedisStorageError } from './redis-failure.js';
import { TrackedCommand } from './tracked-command.js';

/** A reply of Redis with `replyEncoding: null`: strings are buffers. */
export type Reply = Buffer | number | null | readonly Reply[];

/**
 * Sends commands and scripts with a deadline. Each call has one of three outcomes: applied, not applied, or unknown.
 * No call waits for a connection.
 */
export class RedisConnection {
  constructor(
    readonly client: Redis | Cluster,
    private readonly clock: ServerClock,
    private readonly deadlineMs: number,
    private readonly inFlight = new InFlightCalls(),
    /** The common deadline of all commands, by the process's monotonic clock. Absent: each command has its own. */
    private readonly endsAt?: number,
    private readonly toError: (error: unknown, call: FailedCall) => Error = toRedisStorageError,
    /** No write is applied at this time of the server's clock or later. */
    private readonly before = Infinity,
  ) {}

  /** Returns this connection for one call: all its round trips share one deadline, which starts now. */
  forCall(): RedisConnection {
    const { client, clock, deadlineMs, inFlight } = this;
    return new RedisConnection(client, clock, deadlineMs, inFlight, performance.now() + deadlineMs);
  }

  /** Returns this connection for the checks at start, which report how the server rejected a command. */
  forChecks(): RedisConnection {
    return new RedisConnection(this.client, this.clock, this.deadlineMs, this.inFlight, undefined, toCheckError);
  }

  /**
   * Returns this connection for writes that must be applied before a time of the server's clock. One that was not applied
   * for that reason has the outcome `late`.
   */
  applyBefore(time: number): RedisConnection {
    const { client, clock, deadlineMs, inFlight, endsAt, toError } = this;
    return new RedisConnection(client, clock, deadlineMs, inFlight, endsAt, toError, time);
  }

  /** Sends a read-only command. */
  async read(name: string, ...args: readonly ScriptArgument[]): Promise<Reply> {
    return this.#send(name, args, true);
  }

  /** Runs a script. If the server does not know it (after a restart or `SCRIPT FLUSH`), its source is sent. */
  async run<Key extends string, Argument extends string>(
    script: RedisScript<Key, Argument>,
    keys: Readonly<Record<Key, string>>,
    args: Readonly<Record<Argument, ScriptArgument>>,
  ): Promise<Reply> {
    const packed = script.pack(keys, args);
    const shown = script.shown(packed);
    // EVAL and EVALSHA require the right to write to the keys.
    const [known, full] = script.isReadOnly ? (['evalsha_ro', 'eval_ro'] as const) : (['evalsha', 'eval'] as const);
    try {
      return await this.#send(known, [script.sha, ...packed], script.isReadOnly, shown);
    } catch (error) {
      if (!(error instanceof UnknownScriptError)) throw error;
      return this.#send(full, [script.source, ...packed], script.isReadOnly, shown);
    }
  }

  /**
   * Runs a script that writes, with a deadline by the server's clock. If the server replies `late` before the deadline,
   * the estimate of its clock was wrong: the reply corrects it, and the script is sent once more.
   */
  async write<Key extends string, Argument extends string>(
    script: RedisScript<Key, Argument>,
    keys: Readonly<Record<Key, string>>,
    args: Readonly<Record<Exclude<Argument, 'deadline'>, ScriptArgument>>,
  ): Promise<WriteReply> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      const sentAt = performance.now();
      // Too early is safe: the server replies `late`, which corrects the clock. A write after the deadline is not safe.
      const uncertainty = Math.min(this.clock.errorMs, this.#leftMs / 2);
      const deadline = Math.min(Math.floor(this.clock.now() + this.#leftMs - uncertainty), this.before - 1);
      const reply = await this.run(script, keys, { ...args, deadline } as Record<Argument, ScriptArgument>);
      const [word, lastNumber, ...rest] = reply as readonly [Buffer, number, ...Buffer[]];
      const outcome = word.toString();
      if (outcome !== 'late') return { outcome, lastNumber, rest };
      this.clock.observe(Number(rest[0]), sentAt);
      if (performance.now() - sentAt > this.deadlineMs || this.#leftMs <= 0) break;
    }
    if (this.before < Infinity) return { outcome: 'late', lastNumber: 0, rest: [] };
    throw new StorageUnavailableError('The write reached Redis after its deadline and was not applied. Try again.');
  }

  /** Resolves when no call is in flight. */
  async settled(): Promise<void> {
    await this.inFlight.settled();
  }

  get #leftMs(): number {
    return this.endsAt === undefined ? this.deadlineMs : this.endsAt - performance.now();
  }

  async #send(
    name: string,
    args: readonly ScriptArgument[],
    isReadOnly: boolean,
    shown: readonly ScriptArgument[] = args,
  ): Promise<Reply> {
    // Also if the client has an offline queue: nothing bounds the time that a command spends there.
    if (this.client.status !== 'ready') throw toRedisStorageError(undefined, { wasSent: false, isReadOnly });
    const leftMs = this.#leftMs;
    // The earlier round trips of this call have used up its time.
    if (leftMs <= 0) throw toRedisStorageError(undefined, { wasSent: true, isReadOnly: true });
    const command = new TrackedCommand(name, args, this.client.isCluster, shown);
    const timer = setTimeout(() => command.giveUp(), leftMs);
    this.inFlight.begin();
    try {
      const replied = this.client.sendCommand(command);
      if (this.client.isCluster) command.watchRejections(leftMs);
      return (await replied) as Reply;
    } catch (error) {
      if (rejectionOf(error) === 'NOSCRIPT') throw new UnknownScriptError();
      if (this.client.isCluster && rejectionOf(error) === undefined) this.#lookForNewMasters();
      throw this.toError(error, { wasSent: command.wasSent, isReadOnly });
    } finally {
      clearTimeout(timer);
      this.inFlight.end();
    }
  }

  /** The master of a slot may be gone: finds its successor now, not at the next periodic refresh. */
  #lookForNewMasters(): void {
    (this.client as Cluster).refreshSlotsCache();
  }
}

/** The reply of a script that writes. */
export interface WriteReply {
  /** The word that names the outcome. */
  readonly outcome: string;
  /** The number of the last change that it published; 0 for none. */
  readonly lastNumber: number;
  /** The values that belong to the outcome. */
  readonly rest: readonly Buffer[];
}

class UnknownScriptError extends Error {}
