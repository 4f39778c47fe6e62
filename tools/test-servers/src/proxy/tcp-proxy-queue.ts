import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { TcpDirection, TcpFaults } from './tcp-proxy-faults.js';

/** Above this, nothing more is read from the sender until some bytes are forwarded, as in a real network's buffers. */
const MOST_BYTES = 1024 * 1024;

interface QueueEntry {
  /** Empty for an action in the queue. */
  bytes: Buffer;
  readonly dueAt: number;
  /** Called after the last of the bytes is forwarded. */
  readonly after?: (() => void) | undefined;
}

/** One direction of a connection: forwards bytes in order, as far as the faults allow. */
export class TcpQueue {
  readonly #entries: QueueEntry[] = [];
  #isPumping = false;
  #isClosed = false;
  #hasEnded = false;
  /** The bytes received and not yet forwarded. */
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

  /** Ends the other side after the queued bytes. */
  end(): void {
    this.push(Buffer.alloc(0), () => this.sink.end());
    this.#hasEnded = true;
  }

  /** Drops the queued bytes and forwards nothing more. */
  close(): void {
    this.#isClosed = true;
    this.heldBytes = 0;
    this.#entries.length = 0;
  }

  /** Forwards what the faults allow; called again whenever they change. */
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

  /** The first entry of the queue, unless a black hole holds it. */
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
    // Otherwise the pieces would arrive together.
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
