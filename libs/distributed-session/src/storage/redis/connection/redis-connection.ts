import type { Cluster, Redis } from 'ioredis';
import { StorageUnavailableError } from '../../../errors/storage.errors.js';
import type { RedisScript, ScriptArgument } from '../scripts/redis-script.js';
import { InFlightCalls } from '../../shared/in-flight-calls.js';
import type { ServerClock } from '../../shared/server-clock.js';
import { refusalOf, toStorageError } from './redis-failure.js';
import { TrackedCommand } from './tracked-command.js';

/** A reply of Redis, with `replyEncoding: null`: texts are buffers. */
export type Reply = Buffer | number | null | readonly Reply[];

/**
 * Sends commands and scripts, each with a deadline, and tells the three outcomes apart: applied, not applied, unknown.
 * Nothing waits for a connection that is not there.
 */
export class RedisConnection {
  constructor(
    readonly client: Redis | Cluster,
    private readonly clock: ServerClock,
    private readonly deadlineMs: number,
    private readonly underWay = new InFlightCalls(),
    /** When the time of all commands is up, by the clock of the process. Absent: each has a deadline of its own. */
    private readonly endsAt?: number,
  ) {}

  /** The same connection, for one call: however many rounds it takes, they share one deadline, which begins now. */
  forCall(): RedisConnection {
    const { client, clock, deadlineMs, underWay } = this;
    return new RedisConnection(client, clock, deadlineMs, underWay, performance.now() + deadlineMs);
  }

  /** Sends a command that changes nothing. */
  async read(name: string, ...args: readonly ScriptArgument[]): Promise<Reply> {
    return this.#send(name, args, true);
  }

  /** Runs a script. One that the server does not know (it was restarted, or flushed) is sent in full. */
  async run<Key extends string, Argument extends string>(
    script: RedisScript<Key, Argument>,
    keys: Readonly<Record<Key, string>>,
    args: Readonly<Record<Argument, ScriptArgument>>,
  ): Promise<Reply> {
    const packed = script.pack(keys, args);
    // For the others, a user needs the right to write to the keys.
    const [known, full] = script.isReadOnly ? (['evalsha_ro', 'eval_ro'] as const) : (['evalsha', 'eval'] as const);
    try {
      return await this.#send(known, [script.sha, ...packed], script.isReadOnly);
    } catch (error) {
      if (!(error instanceof UnknownScriptError)) throw error;
      return this.#send(full, [script.source, ...packed], script.isReadOnly);
    }
  }

  /**
   * Runs a script that writes, within a deadline of the server's clock. Should the server call that late although the
   * time was not up, this process did not know the time well: it learns it, and tries once more.
   */
  async write<Key extends string, Argument extends string>(
    script: RedisScript<Key, Argument>,
    keys: Readonly<Record<Key, string>>,
    args: Readonly<Record<Exclude<Argument, 'deadline'>, ScriptArgument>>,
  ): Promise<WriteReply> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      const sentAt = performance.now();
      // Rather too early: a server that calls it late teaches this process the time, and a write that is too late harms.
      const uncertainty = Math.min(this.clock.errorMs, this.#leftMs / 2);
      const deadline = Math.floor(this.clock.now() + this.#leftMs - uncertainty);
      const reply = await this.run(script, keys, { ...args, deadline } as Record<Argument, ScriptArgument>);
      const [word, lastNumber, ...rest] = reply as readonly [Buffer, number, ...Buffer[]];
      const outcome = word.toString();
      if (outcome !== 'late') return { outcome, lastNumber, rest };
      this.clock.observe(Number(rest[0]), sentAt);
      if (performance.now() - sentAt > this.deadlineMs || this.#leftMs <= 0) break;
    }
    throw new StorageUnavailableError('The write reached Redis after its deadline and was not applied. Try again.');
  }

  /** Resolves when what was under way is settled. */
  async settled(): Promise<void> {
    await this.underWay.settled();
  }

  get #leftMs(): number {
    return this.endsAt === undefined ? this.deadlineMs : this.endsAt - performance.now();
  }

  async #send(name: string, args: readonly ScriptArgument[], isReadOnly: boolean): Promise<Reply> {
    // Also where the client would let commands wait for a connection: nobody bounds what waits there.
    if (this.client.status !== 'ready') throw toStorageError(undefined, { wasSent: false, isReadOnly });
    const leftMs = this.#leftMs;
    // The rounds before this one have taken all the time there was; this one is not begun.
    if (leftMs <= 0) throw toStorageError(undefined, { wasSent: true, isReadOnly: true });
    const command = new TrackedCommand(name, args, this.client.isCluster);
    const timer = setTimeout(() => command.giveUp(), leftMs);
    this.underWay.begin();
    try {
      const replied = this.client.sendCommand(command);
      if (this.client.isCluster) command.watchRefusals(leftMs);
      return (await replied) as Reply;
    } catch (error) {
      if (refusalOf(error) === 'NOSCRIPT') throw new UnknownScriptError();
      if (this.client.isCluster && refusalOf(error) === undefined) this.#lookForNewMasters();
      throw toStorageError(error, { wasSent: command.wasSent, isReadOnly });
    } finally {
      clearTimeout(timer);
      this.underWay.end();
    }
  }

  /** The master of a slot may be gone: who took over is worth asking now, not at the next round. */
  #lookForNewMasters(): void {
    (this.client as Cluster).refreshSlotsCache();
  }
}

/** What a writing script answered. */
export interface WriteReply {
  /** The word that names the outcome. */
  readonly outcome: string;
  /** The number of the last change that it announced; 0 for none. */
  readonly lastNumber: number;
  /** What goes with the outcome. */
  readonly rest: readonly Buffer[];
}

class UnknownScriptError extends Error {}
