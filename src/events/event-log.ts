import { randomBytes } from 'node:crypto';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { type SessionEvent, SessionEvents } from 'nestjs-distributed-session';
import { environmentConfig } from '../config/environment.config.js';
import type { Environment } from '../config/environment.js';

/** An event and its place in the log. */
export interface HeldEvent {
  readonly position: number;
  readonly event: SessionEvent;
}

/**
 * The newest events of this process, for streams to read at their own pace. It is bounded, and so a reader that is too
 * slow, or comes back too late, misses events; {@link isHeldAfter} says so.
 */
@Injectable()
export class EventLog implements BeforeApplicationShutdown {
  /** Tells the positions of this process from those of another one, or of the time before a restart. */
  readonly epoch = randomBytes(6).toString('hex');
  readonly #held: SessionEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #end = 0;
  #isClosed = false;

  constructor(
    events: SessionEvents,
    @Inject(environmentConfig.KEY) private readonly environment: Pick<Environment, 'EVENTS_HELD'>,
  ) {
    events.all.subscribe((event) => this.#append(event));
  }

  /** The position of the newest event; 0 before the first. */
  get end(): number {
    return this.#end;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether every event after a position is still here. */
  isHeldAfter(position: number): boolean {
    return position <= this.#end && position >= this.#end - this.#size;
  }

  /** The first event after a position that {@link isHeldAfter}, or `undefined` when there is none yet. */
  firstAfter(position: number): HeldEvent | undefined {
    if (position >= this.#end) return undefined;
    return { position: position + 1, event: this.#held[position % this.environment.EVENTS_HELD]! };
  }

  /** Resolves when there is an event after a position, the log is closed, the signal says so, or the time is over. */
  async waitAfter(position: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#end > position || this.#isClosed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Ends the streams, so that the server does not wait for them. */
  beforeApplicationShutdown(): void {
    this.#isClosed = true;
    this.#wakeAll();
  }

  get #size(): number {
    return Math.min(this.#end, this.environment.EVENTS_HELD);
  }

  #append(event: SessionEvent): void {
    this.#held[this.#end % this.environment.EVENTS_HELD] = event;
    this.#end++;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }
}
