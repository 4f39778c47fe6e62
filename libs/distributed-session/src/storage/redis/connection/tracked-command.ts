import type { ScriptArgument } from '../scripts/redis-script.js';
import { drainBeforeTimeout } from './ioredis-fixes.js';
import { Command } from './ioredis.js';
import { rejectionOf } from './redis-failure.js';

/** A command without effect, in the protocol of Redis. */
const PING = '*1\r\n$4\r\nPING\r\n';

/** Error replies after which a cluster client sends the command again a little later. */
const RETRIED: readonly string[] = ['TRYAGAIN', 'CLUSTERDOWN'];
/** How long one more attempt may take, including the wait before it. */
const RETRY_MARGIN_MS = 200;

/**
 * A command that tracks whether it may have reached the server, and that reaches it at most once.
 *
 * A client may write a command late (when a connection is restored, or a slot has moved) or twice. Once the command is
 * settled, its caller has received an outcome that a later execution would contradict: the client then sends a `PING`
 * in its place, so that replies still match their commands. Replies are buffers.
 *
 * Tracers and errors show the `args` of a command. They are what may be shown; only the server receives the values.
 */
export class TrackedCommand extends Command {
  readonly #settle: (error: Error) => void;
  readonly #values: Command['args'];
  #isSettled = false;
  #sent = false;
  /** The last rejection. Cleared when the command is sent again. */
  #rejection: Error | undefined;

  /**
   * @param resendable - Whether the client sends it again only if the server did not execute it. True on a cluster.
   * @param shown - The arguments with placeholders in the place of values, and the keys as they are.
   */
  constructor(
    name: string,
    args: readonly ScriptArgument[],
    private readonly resendable: boolean,
    shown: readonly ScriptArgument[] = args,
  ) {
    super(name, [...args], { replyEncoding: null });
    this.#values = this.args;
    this.args = [...shown];
    const { resolve, reject } = this;
    this.resolve = (reply) => {
      this.#isSettled = true;
      resolve(reply);
    };
    this.#settle = (error) => {
      this.#isSettled = true;
      reject(error);
    };
    this.reject = this.#settle;
  }

  /** Whether a server may have executed it, or may still execute it. */
  get wasSent(): boolean {
    return this.#sent && !this.#rejection;
  }

  /**
   * Must be called after a cluster client has taken the command. The client then sees each error reply before the caller
   * does, and may send the command again after a while. Close to the deadline the command is rejected instead: a known
   * rejection, which means that nothing was applied, is better than an unknown outcome.
   */
  watchRejections(leftMs: number): void {
    const lastRetryAt = performance.now() + leftMs - Math.min(leftMs / 2, RETRY_MARGIN_MS);
    const handle = this.reject;
    this.reject = (error) => {
      const rejection = rejectionOf(error);
      if (rejection !== undefined) this.#rejection = error;
      if (rejection && RETRIED.includes(rejection) && performance.now() > lastRetryAt) this.#settle(error);
      else handle(error);
    };
  }

  /** Ends the wait for the reply. Replies that arrived while this process was busy are read first and still count. */
  giveUp(): void {
    setImmediate(() => {
      if (!this.#isSettled) this.#settle(this.#rejection ?? new Error('No reply in time'));
    });
  }

  /** Clients of ioredis 6 call it, and would fail with a command of ioredis 5. It prepares the reshaping of replies. */
  override setReplyContext(): void {}

  /** Returns the reply as RESP2 has it: ioredis would reshape those of some commands, by the options of the client. */
  override transformReply(reply: Buffer | Buffer[]): Buffer | Buffer[] {
    return plainReply(reply) as Buffer | Buffer[];
  }

  override toWritable(socket: object): string | Buffer {
    if (this.#isSettled) return PING;
    if (this.#sent && !this.resendable) {
      this.reject(new Error('The reply was lost with its connection'));
      return PING;
    }
    this.#sent = true;
    this.#rejection = undefined;
    drainBeforeTimeout(socket);
    const shown = this.args;
    this.args = this.#values;
    const writable = super.toWritable(socket);
    this.args = shown;
    return writable;
  }
}

/**
 * Restores numbers from the strings of a client with `stringNumbers` (all others are buffers), and lists of fields and
 * values from the objects of a client with `replyMapping: 'resp3'`.
 */
function plainReply(reply: unknown): unknown {
  if (typeof reply === 'string') return Number(reply);
  if (Array.isArray(reply)) return reply.map(plainReply);
  if (typeof reply !== 'object' || reply === null || Buffer.isBuffer(reply)) return reply;
  return Object.entries(reply).flatMap(([field, value]) => [Buffer.from(field), plainReply(value)]);
}
