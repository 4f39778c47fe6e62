import { StorageUnavailableError } from '../../errors/storage.errors.js';

/** How to open what a storage needs, and how to release it. */
interface Openable<T> {
  readonly open: () => Promise<T>;
  readonly shut: (opened: T) => Promise<void>;
}

/**
 * What several owners share: the first opens it, the last shuts it, and it may be opened again. What is opened in part
 * must be released by `open` itself, which rejects then.
 */
export class SharedOpening<T> {
  #owners = 0;
  #opening: Promise<T> | undefined;
  /** It is not opened again before it was shut. */
  #closing: Promise<void> = Promise.resolve();
  #opened: T | undefined;

  constructor(private readonly openable: Openable<T>) {}

  /** What is open now, if it is. */
  get current(): T | undefined {
    return this.#opened;
  }

  async connect(): Promise<void> {
    this.#owners++;
    const opening = (this.#opening ??= this.#closing.then(async () => this.openable.open()));
    try {
      const opened = await opening;
      if (this.#opening !== opening) throw new StorageUnavailableError('The storage was closed while it was opened.');
      this.#opened = opened;
    } catch (error) {
      if (this.#opening === opening) {
        this.#owners--;
        if (this.#owners === 0) this.#opening = undefined;
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#owners === 0 || --this.#owners > 0) return;
    const opening = this.#opening;
    this.#opened = undefined;
    this.#opening = undefined;
    this.#closing = this.#shutOnceOpen(opening);
    await this.#closing;
  }

  async #shutOnceOpen(opening: Promise<T> | undefined): Promise<void> {
    const opened = await opening?.catch(() => undefined);
    if (opened) await this.openable.shut(opened);
  }
}
