import { randomInt } from 'node:crypto';

/** `up` is from the client to the server. */
export type TcpDirection = 'up' | 'down';

/** What a proxy does to the bytes at this moment; all of its connections look at the same one. */
export class TcpFaults {
  latency = { ms: 0, jitterMs: 0 };
  /** The sizes of the pieces in which bytes are passed on. */
  slices: { readonly minBytes: number; readonly maxBytes: number } | undefined;
  /** The directions in which nothing is passed on. */
  readonly holes = new Set<TcpDirection>();
  refusesConnections = false;
  /** The next request with this text in it loses its reply. */
  lostReplyTo: string | undefined;

  /** When bytes that have come now may be passed on, on the clock of `performance.now()`. */
  dueAt(): number {
    const { ms, jitterMs } = this.latency;
    return performance.now() + ms + (jitterMs > 0 ? randomInt(jitterMs + 1) : 0);
  }

  /** How many of these bytes are passed on at once. */
  pieceOf(bytes: Buffer): number {
    return this.slices ? randomInt(this.slices.minBytes, this.slices.maxBytes + 1) : bytes.length;
  }

  /** Whether the reply to this request is the one to lose; asked once for each request. */
  takesReplyOf(request: Buffer): boolean {
    if (this.lostReplyTo === undefined || !request.includes(this.lostReplyTo)) return false;
    this.lostReplyTo = undefined;
    return true;
  }
}
