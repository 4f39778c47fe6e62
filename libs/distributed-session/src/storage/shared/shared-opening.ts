import { StorageUnavailableError } from '../../errors/storage.errors.js';

/** Opens and shuts a shared resource. */
interface Openable<T> {
  readonly open: () => Promise<T>;
  readonly shut: (opened: T) => Promise<void>;
}

/**
 * A resource that several owners share: the first one opens it, the last one shuts it, and it may be opened again. If
 * `open` fails halfway, it releases what it has opened and rejects.
 */
export class SharedOpening<T> {
  #owners = 0;
  #opening: Promise<T> | undefined;
  /** A new opening waits for the last shutting. */
  #closing: Promise<void> = Promise.resolve();
  #opened: T | undefined;

  constructor(private readonly openable: Openable<T>) {}

  /** The open resource, or `undefined`. */
  get current(): T | undefined {
    return this.#opened;
  }

  async connect(): Promise<void> {
    this.#owners++;
    const opening = (this.#opening ??= this.#closing.then(async () => this.openable.open()));
    try {
      const opened = await opening;
      if (this.#opening !== opening)
        throw new StorageUnavailableError('The storage was closed while it was opening. Connect it again.');
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
