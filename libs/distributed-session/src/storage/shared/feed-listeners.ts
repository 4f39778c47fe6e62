import { ChangeListeners } from './change-listeners.js';
import type { ServerClock } from './server-clock.js';

/** After this many rounds without a heartbeat, a feed opens another connection. */
export const SILENT_ROUNDS = 3;
/** A heartbeat of another process suffices when it is younger than this share of the interval. */
export const BEAT_SHARE = 0.8;
export const UNOPENED_FEED = 'The change feed is not open yet: changes made by other processes are not received.';
export const SILENT_FEED =
  'The change feed receives no heartbeats, although they are sent. Opening another connection.';

/** The events of a feed's connection to its server. */
export interface FeedEvents<Message> {
  /** The connection receives changes. Changes published before, or since the last one was lost, were missed. */
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly onMessage: (message: Message) => void;
  /** An attempt to open the connection has failed. It is retried. */
  readonly onFailure: (error: unknown) => void;
}

/** The listeners of a feed over a connection: whatever is published while the connection is interrupted is missed. */
export class FeedListeners extends ChangeListeners {
  #isOpen = false;
  #wasOpen = false;

  constructor(private readonly clock: ServerClock) {
    super();
  }

  /** Whether the connection receives changes. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Publishes `feed.gap`, unless this is the first connection. Returns whether it did. */
  opened(): boolean {
    this.#isOpen = true;
    const isReopened = this.#wasOpen;
    this.#wasOpen = true;
    if (isReopened) this.publishGap();
    return isReopened;
  }

  closed(): void {
    this.#isOpen = false;
  }

  publishGap(): void {
    this.publish({ type: 'feed.gap', at: this.clock.now() });
  }
}
