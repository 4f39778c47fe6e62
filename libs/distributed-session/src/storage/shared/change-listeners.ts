import { Logger } from '@nestjs/common';
import type { StorageChange, StorageChangeListener } from '../storage-change.js';

/** Notifies listeners in order, after the change is committed; a failing listener does not affect the others. */
export class ChangeListeners {
  readonly #logger = new Logger(ChangeListeners.name);
  readonly #listeners = new Set<StorageChangeListener>();

  subscribe(listener: StorageChangeListener): () => void {
    // A separate function per subscription: the same listener may subscribe twice, and each subscription ends by itself.
    const subscription: StorageChangeListener = (change) => listener(change);
    this.#listeners.add(subscription);
    return () => this.#listeners.delete(subscription);
  }

  publish(change: StorageChange): void {
    const entry = Object.freeze(change);
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) this.#deliver(listener, entry);
      });
    }
  }

  #deliver(listener: StorageChangeListener, change: StorageChange): void {
    try {
      listener(change);
    } catch (error) {
      this.#logger.error(`A listener failed on ${change.type}.`, error instanceof Error ? error.stack : undefined);
    }
  }
}
