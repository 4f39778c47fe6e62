import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { TcpDirection, TcpFaults } from './tcp-proxy-faults.js';

/** More is not read from the sender before some of it is passed on, as in the buffers of a real network. */
const MOST_BYTES = 1024 * 1024;

interface QueueEntry {
  /** Empty for what is done when its turn comes. */
  bytes: Buffer;
  readonly dueAt: number;
  /** Runs after the last of the bytes is passed on. */
  readonly after?: (() => void) | undefined;
}

/** One direction of a connection: all that comes is passed on in its order, if the faults let it through. */
export class TcpQueue {
  readonly #entries: QueueEntry[] = [];
  #isPumping = false;
  #isClosed = false;
  #hasEnded = false;
  /** The bytes that have come and are not passed on. */
  heldBytes = 0;

  constructor(
    private readonly direction: TcpDirection,
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly faults: TcpFaults,
    private readonly onPassed: (bytes: number) => void,
  ) {}

  push(bytes: Buffer, after?: () => void): void {
    if (this.#isClosed || this.#hasEnded) return;
    this.#entries.push({ bytes, after, dueAt: this.faults.dueAt() });
    this.heldBytes += bytes.length;
    if (this.heldBytes > MOST_BYTES) this.source.pause();
    this.pump();
  }

  /** Ends the other side as well, in its turn. */
  end(): void {
    this.push(Buffer.alloc(0), () => this.sink.end());
    this.#hasEnded = true;
  }

  /** Forgets what is held, and passes nothing on any more. */
  close(): void {
    this.#isClosed = true;
    this.heldBytes = 0;
    this.#entries.length = 0;
  }

  /** Passes on what may be; asked again whenever the faults have changed. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#passAll();
  }

  async #passAll(): Promise<void> {
    for (let entry = this.#next(); entry; entry = this.#next()) {
      const waitMs = entry.dueAt - performance.now();
      if (waitMs > 0) await setTimeout(waitMs, undefined, { ref: false });
      else await this.#pass(entry);
    }
    this.#isPumping = false;
  }

  /** The first in the queue, unless a hole keeps it there. */
  #next(): QueueEntry | undefined {
    return this.faults.holes.has(this.direction) ? undefined : this.#entries[0];
  }

  async #pass(entry: QueueEntry): Promise<void> {
    const piece = entry.bytes.subarray(0, this.faults.pieceOf(entry.bytes));
    entry.bytes = entry.bytes.subarray(piece.length);
    const isWhole = entry.bytes.length === 0;
    if (isWhole) this.#entries.shift();
    this.heldBytes -= piece.length;
    if (this.heldBytes <= MOST_BYTES) this.source.resume();
    if (piece.length > 0 && this.sink.writable) await this.#write(piece);
    if (isWhole) entry.after?.();
  }

  async #write(piece: Buffer): Promise<void> {
    this.onPassed(piece.length);
    const isTaken = this.sink.write(piece);
    if (!isTaken) await this.#drained();
    // Otherwise the pieces would reach the other side in one.
    else if (this.faults.slices) await setImmediate();
  }
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.sink.off('drain', done).off('close', done);
        resolve();
      };
      this.sink.on('drain', done).on('close', done);
    });
  }
}
