/** The result of a read, as far as it concerns changes that are committed but not published yet. */
export interface FeedRead {
  /** When the read was sent, by the monotonic clock of this process. */
  readonly sentAt: number;
  /** Whether the read itself published everything that was committed before it. */
  readonly isPublished: boolean;
  /** The lowest and the highest number of the changes that waited for their publication, or 0. */
  readonly firstWaiting: number;
  readonly lastWaiting: number;
}

/**
 * Since when the feed may lack changes, by the monotonic clock of this process. No time in a message or of another clock
 * counts. A reader that cannot publish is up to date as of a read once all that waited then has been published: every
 * change committed before that read was either published or among those.
 */
export class FeedFreshness {
  #freshAt = -Infinity;
  #pending: FeedRead | undefined;

  constructor(private readonly monotonic: () => number = () => performance.now()) {}

  lagMs(): number {
    return this.monotonic() - this.#freshAt;
  }

  /** Records a read, all of whose changes have been delivered. */
  observe(read: FeedRead): void {
    const isAllPublished = read.isPublished || read.firstWaiting === 0;
    if (isAllPublished) this.#freshAt = read.sentAt;
    else if (this.#pending && read.firstWaiting > this.#pending.lastWaiting) this.#freshAt = this.#pending.sentAt;
    if (isAllPublished) this.#pending = undefined;
    else if (!this.#pending || this.#freshAt === this.#pending.sentAt) this.#pending = read;
  }

  /** Forgets everything: the connection was lost. */
  reset(): void {
    this.#freshAt = -Infinity;
    this.#pending = undefined;
  }
}
