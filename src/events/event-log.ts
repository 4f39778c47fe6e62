import { randomBytes } from 'node:crypto';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { type SessionEvent, SessionEvents } from 'nestjs-distributed-session';
import type { Environment } from '../config/environment.js';
import { environmentConfig } from '../config/read-environment.js';

/** An event and its position in the log. */
export interface HeldEvent {
  readonly position: number;
  readonly event: SessionEvent;
}

/**
 * Holds this process's newest events, which streams read at their own pace. The log is bounded, so a reader that is too
 * slow or resumes too late misses events, which {@link isHeldAfter} reports.
 */
@Injectable()
export class EventLog implements BeforeApplicationShutdown {
  /** Distinguishes the positions of this process from those of other processes and of earlier runs. */
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

  /** Returns whether the log still holds every event after a position. */
  isHeldAfter(position: number): boolean {
    return position <= this.#end && position >= this.#end - this.#size;
  }

  /** Returns the first event after a position for which {@link isHeldAfter} is true, or `undefined` if there is none yet. */
  firstAfter(position: number): HeldEvent | undefined {
    if (position >= this.#end) return undefined;
    return { position: position + 1, event: this.#held[position % this.environment.EVENTS_HELD]! };
  }

  /** Resolves when an event after the position arrives, the log closes, the signal is aborted, or the timeout is over. */
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

  /** Ends the streams, so that the server can close without waiting for them. */
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
