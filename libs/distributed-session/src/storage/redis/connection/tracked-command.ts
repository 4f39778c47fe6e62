import { Command } from 'ioredis';
import type { ScriptArgument } from '../scripts/redis-script.js';
import { readBeforeTimeout } from './ioredis-fixes.js';
import { refusalOf } from './redis-failure.js';

/** A command without effect, in the protocol of Redis. */
const PING = '*1\r\n$4\r\nPING\r\n';

/** Refusals after which a cluster sends a command again a little later. */
const WAITED_FOR: readonly string[] = ['TRYAGAIN', 'CLUSTERDOWN'];
/** What one more round may take, with the wait before it. */
const RETRY_MARGIN_MS = 200;

/**
 * A command that knows whether it may have reached the server, and that reaches it at most once.
 *
 * A client may write a command late (when a connection is back, when a slot has moved) or again. Once it is settled, its
 * caller has been told something that a later execution would make untrue: then a `PING` goes out in its place, so that
 * replies still match. Replies are buffers.
 */
export class TrackedCommand extends Command {
  readonly #settle: (error: Error) => void;
  #sent = false;
  /** Why the server last asked did not execute it, until it is sent again. */
  #refusal: Error | undefined;

  /** @param resendable whether the client writes it again only where the server did not execute it: on a cluster. */
  constructor(
    name: string,
    args: readonly ScriptArgument[],
    private readonly resendable: boolean,
  ) {
    super(name, [...args], { replyEncoding: null });
    this.#settle = this.reject;
  }

  /** Whether a server may have executed it, or may yet. */
  get wasSent(): boolean {
    return this.#sent && !this.#refusal;
  }

  /**
   * To be called once a cluster has taken it, which from then on sees each refusal before its caller does, and may send
   * the command again after a while. Near the deadline it is better refused than lost: then nothing was applied.
   */
  watchRefusals(leftMs: number): void {
    const lastRetryAt = performance.now() + leftMs - Math.min(leftMs / 2, RETRY_MARGIN_MS);
    const handle = this.reject;
    this.reject = (error) => {
      const refusal = refusalOf(error);
      if (refusal !== undefined) this.#refusal = error;
      if (refusal && WAITED_FOR.includes(refusal) && performance.now() > lastRetryAt) this.#settle(error);
      else handle(error);
    };
  }

  /** The time is up. What has arrived while this process was busy still counts, so the replies are read first. */
  giveUp(): void {
    setImmediate(() => {
      if (!this.isSettled) this.#settle(this.#refusal ?? new Error('No reply in time'));
    });
  }

  /** As it came: the reshaping that ioredis does for some commands is not wanted. */
  override transformReply(result: Buffer | Buffer[]): Buffer | Buffer[] {
    return result;
  }

  override toWritable(socket: object): string | Buffer {
    if (this.isSettled) return PING;
    if (this.#sent && !this.resendable) {
      this.reject(new Error('The reply was lost with its connection'));
      return PING;
    }
    this.#sent = true;
    this.#refusal = undefined;
    readBeforeTimeout(socket);
    return super.toWritable(socket);
  }
}
