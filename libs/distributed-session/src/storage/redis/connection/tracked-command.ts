import { Command } from 'ioredis';
import type { ScriptArgument } from '../scripts/redis-script.js';
import { readBeforeTimeout } from './patient-socket.js';

/** A command without effect, in the protocol of Redis. */
const PING = '*1\r\n$4\r\nPING\r\n';

/**
 * A command that knows whether it may have reached the server, and that reaches it at most once.
 *
 * A client may write a command late (when a connection is back, when a slot has moved) or again. Once it is settled, its
 * caller has been told something that a later execution would make untrue: then a `PING` goes out in its place, so that
 * replies still match. Replies are buffers.
 */
export class TrackedCommand extends Command {
  #sent = false;

  /** @param resendable whether the client writes it again only where the server did not execute it: on a cluster. */
  constructor(
    name: string,
    args: readonly ScriptArgument[],
    private readonly resendable: boolean,
  ) {
    super(name, [...args], { replyEncoding: null });
  }

  /** Whether it was handed to a connection. `false`: the server has not seen it, and never will. */
  get wasSent(): boolean {
    return this.#sent;
  }

  /** The time is up. What has arrived while this process was busy still counts, so the replies are read first. */
  giveUp(): void {
    setImmediate(() => {
      if (!this.isSettled) this.reject(new Error('No reply in time'));
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
    readBeforeTimeout(socket);
    return super.toWritable(socket);
  }
}
