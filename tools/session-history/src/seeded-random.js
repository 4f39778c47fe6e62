/** A random generator (mulberry32) that makes the same choices for the same seed. */
export class SeededRandom {
  /** @param {number} seed A whole number. */
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** The next number from 0 to below 1. */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * A whole number within the bounds, both included.
   *
   * @param {number} least
   * @param {number} most
   */
  between(least, most) {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** @param {number} probability From 0 to 1. */
  chance(probability) {
    return this.next() < probability;
  }

  /**
   * One of several; the list must not be empty.
   *
   * @template T
   * @param {readonly T[]} items
   * @returns {T}
   */
  pick(items) {
    return /** @type {T} */ (items[this.between(0, items.length - 1)]);
  }

  /**
   * One of several, with the given relative frequencies.
   *
   * @template {string} T
   * @param {Readonly<Record<T, number>>} weights
   * @returns {T}
   */
  weighted(weights) {
    const entries = /** @type {[T, number][]} */ (Object.entries(weights));
    let at = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    const chosen = entries.find(([, weight]) => (at -= weight) < 0) ?? entries[0];
    return /** @type {[T, number]} */ (chosen)[0];
  }
}
