import { SecretHasher } from '../../libs/distributed-session/src/service/secret-hasher.js';

/** A hasher that counts its comparisons, and whose slow ones a test can delay. */
export class WatchedHasher extends SecretHasher {
  #fast = 0;
  #slow = 0;
  #held: Promise<void> | undefined;

  override matchGenerated(
    ...given: Parameters<SecretHasher['matchGenerated']>
  ): ReturnType<SecretHasher['matchGenerated']> {
    this.#fast++;
    return super.matchGenerated(...given);
  }

  override async matchChosen(
    ...given: Parameters<SecretHasher['matchChosen']>
  ): ReturnType<SecretHasher['matchChosen']> {
    this.#slow++;
    await this.#held;
    return super.matchChosen(...given);
  }

  /** The comparisons of generated (fast) and chosen (slow) secrets since the last call. */
  takeCounts(): { fast: number; slow: number } {
    const counts = { fast: this.#fast, slow: this.#slow };
    this.#fast = 0;
    this.#slow = 0;
    return counts;
  }

  /** Delays slow comparisons until the returned function is called. */
  holdSlow(): () => void {
    let release!: () => void;
    this.#held = new Promise<void>((resolve) => (release = resolve));
    return release;
  }
}
