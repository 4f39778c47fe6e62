import type { Beat } from '../records/change-message.js';

/** A look at a master's stored heartbeat. All times are of this process's monotonic clock, in milliseconds. */
export interface Look {
  /** The stored nonce: that of the last heartbeat. */
  readonly nonce: string;
  /** When the call was sent. */
  readonly sentAt: number;
  /** Whether this process has just stored the nonce. */
  readonly isOwn: boolean;
}

/** Heartbeats that arrive before the reply which makes them recognisable. More are repeated messages. */
const MAX_EARLY = 8;
/** Looks that wait for their heartbeat. There are several if it takes longer than an interval to publish or deliver one. */
const MAX_LOOKS = 8;
/** Heartbeats that are remembered, to ignore them when they are repeated. */
const MAX_NONCES = 1_000;

/**
 * Until when the feed is complete, by this process's monotonic clock: every change published before was delivered.
 *
 * A heartbeat has a random nonce and names the nonce that it replaces. If a call that was sent at a time `t` found the
 * nonce N, the heartbeat that replaces N was published after `t`, and so was the own heartbeat that this call stored.
 * Once it arrives, everything published before `t` has arrived. No clock of another machine is involved, and a repeated
 * heartbeat shows nothing new.
 */
export class FeedFreshness {
  #expected: readonly string[] = [];
  /** The looks at each master since the last heartbeat was recognised, the oldest first. */
  readonly #looks = new Map<string, readonly Look[]>();
  readonly #early = new Map<string, Beat[]>();
  readonly #shownAt = new Map<string, number>();
  readonly #arrivedAt = new Map<string, number>();
  readonly #nonces = new Set<string>();
  #keyReadAt = -Infinity;
  #openedAt = -Infinity;

  constructor(private readonly monotonic: () => number) {}

  /** Sets the shards that send heartbeats: one for each master. */
  expect(shards: readonly string[]): void {
    this.#expected = shards;
  }

  /** Forgets what an earlier connection has received. */
  reopened(): void {
    for (const map of [this.#looks, this.#early, this.#shownAt, this.#arrivedAt]) map.clear();
    this.#openedAt = this.monotonic();
  }

  /** The store's feed key was read by a call that was sent at this time: nothing before it had another key. */
  keyRead(sentAt: number): void {
    this.#keyReadAt = sentAt;
  }

  /** Records a look. Returns the heartbeats that have arrived before it. */
  look(shard: string, look: Look): readonly Beat[] {
    this.#looks.set(shard, [...(this.#looks.get(shard) ?? []), look].slice(-MAX_LOOKS));
    const early = this.#early.get(shard) ?? [];
    this.#early.delete(shard);
    return early;
  }

  /** Records an authentic heartbeat. Returns whether it was published after a look, for the first time. */
  recognize(beat: Beat): boolean {
    const { shard, nonce, previous } = beat;
    const looks = this.#looks.get(shard) ?? [];
    const index = looks.findLastIndex((each) => previous === each.nonce || (each.isOwn && nonce === each.nonce));
    const look = looks[index];
    if (look === undefined) {
      this.#keepEarly(beat);
      return false;
    }
    this.#remember(nonce);
    const later = looks.slice(index + 1);
    this.#looks.set(shard, nonce === look.nonce ? [{ ...look, isOwn: false }, ...later] : later);
    this.#shownAt.set(shard, look.sentAt);
    this.#arrivedAt.set(shard, this.monotonic());
    return true;
  }

  /** Repeated heartbeats must not take the place of one that arrives early. */
  #keepEarly(beat: Beat): void {
    const early = this.#early.get(beat.shard) ?? [];
    if (this.#nonces.has(beat.nonce) || early.length >= MAX_EARLY) return;
    this.#early.set(beat.shard, [...early, beat]);
    this.#remember(beat.nonce);
  }

  #remember(nonce: string): void {
    this.#nonces.add(nonce);
    if (this.#nonces.size > MAX_NONCES) this.#nonces.delete(this.#nonces.values().next().value!);
  }

  /** Whether every master's heartbeats arrive. */
  get isShown(): boolean {
    return this.#oldest(this.#shownAt) > -Infinity;
  }

  get completeUntil(): number {
    return Math.min(this.#oldest(this.#shownAt), this.#keyReadAt);
  }

  /** Whether the connection was open at that time, and a master's heartbeats have been missing since. */
  isSilentSince(time: number): boolean {
    return Math.max(this.#openedAt, this.#oldest(this.#arrivedAt)) <= time;
  }

  #oldest(times: ReadonlyMap<string, number>): number {
    if (this.#expected.length === 0) return -Infinity;
    return Math.min(...this.#expected.map((shard) => times.get(shard) ?? -Infinity));
  }
}
