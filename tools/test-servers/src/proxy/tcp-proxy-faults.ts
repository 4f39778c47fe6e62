import { randomInt } from 'node:crypto';

/** `up` is from the client to the server. */
export type TcpDirection = 'up' | 'down';

/** The current faults of a proxy, shared by all its connections. */
export class TcpFaults {
  latency = { ms: 0, jitterMs: 0 };
  /** The sizes of the pieces in which bytes are forwarded. */
  slices: { readonly minBytes: number; readonly maxBytes: number } | undefined;
  /** The directions in which nothing is forwarded. */
  readonly holes = new Set<TcpDirection>();
  refusesConnections = false;
  /** The next request that contains this text loses its reply. */
  lostReplyTo: string | undefined;

  /** When bytes that arrive now may be forwarded, by `performance.now()`. */
  dueAt(): number {
    const { ms, jitterMs } = this.latency;
    return performance.now() + ms + (jitterMs > 0 ? randomInt(jitterMs + 1) : 0);
  }

  /** How many of these bytes are forwarded at once. */
  pieceOf(bytes: Buffer): number {
    return this.slices ? randomInt(this.slices.minBytes, this.slices.maxBytes + 1) : bytes.length;
  }

  /** Whether to lose the reply to this request; called once per request. */
  takesReplyOf(request: Buffer): boolean {
    if (this.lostReplyTo === undefined || !request.includes(this.lostReplyTo)) return false;
    this.lostReplyTo = undefined;
    return true;
  }
}
