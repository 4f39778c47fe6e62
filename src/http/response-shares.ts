import { LRUCache } from 'lru-cache';

/** The limits on the stored responses, in number and approximate bytes of memory: for all services, and for each. */
const MAX_BYTES = 64 * 1024 * 1024;
const SHARE = { max: 1_000, maxSize: 8 * 1024 * 1024 };
/** The approximate memory of an entry without its response, in bytes. */
const ENTRY_BYTES = 512;

export interface StoredResponse {
  readonly fingerprint: string;
  readonly response: Promise<unknown>;
  readonly endsAt: number;
}

/**
 * Stores responses by service. When a service exceeds its share, its own oldest entries go. When all services together
 * exceed the limit, the oldest entries of the largest one go, so that no service can push out the few of another.
 */
export class ResponseShares {
  readonly #shares = new Map<string, LRUCache<string, StoredResponse>>();
  #bytes = 0;

  find(serviceId: string, name: string): StoredResponse | undefined {
    return this.#shares.get(serviceId)?.get(name);
  }

  /** Adds an entry whose response is still in flight. */
  add(serviceId: string, name: string, entry: StoredResponse): void {
    this.#set(serviceId, name, entry, ENTRY_BYTES);
  }

  /** Counts the response of an entry, unless it was removed or replaced in the meantime. */
  resize(serviceId: string, name: string, entry: StoredResponse, responseBytes: number): void {
    if (this.#isStored(serviceId, name, entry)) this.#set(serviceId, name, entry, ENTRY_BYTES + responseBytes);
  }

  /** Removes an entry, unless it was replaced in the meantime. */
  remove(serviceId: string, name: string, entry: StoredResponse): void {
    if (this.#isStored(serviceId, name, entry)) this.#change(serviceId, (share) => share.delete(name));
  }

  /** Removes the entries of a service, or of all services. */
  clear(serviceId?: string): void {
    for (const each of serviceId === undefined ? [...this.#shares.keys()] : [serviceId]) {
      this.#change(each, (share) => share.clear());
    }
  }

  #isStored(serviceId: string, name: string, entry: StoredResponse): boolean {
    return this.#shares.get(serviceId)?.peek(name) === entry;
  }

  #set(serviceId: string, name: string, entry: StoredResponse, size: number): void {
    if (!this.#shares.has(serviceId)) this.#shares.set(serviceId, new LRUCache(SHARE));
    this.#change(serviceId, (share) => {
      // Setting the same value again would not change its size.
      share.delete(name);
      share.set(name, entry, { size });
    });
    while (this.#bytes > MAX_BYTES) this.#change(this.#largest(), (share) => share.pop());
  }

  /** Changes a share, and keeps the sum of all. An empty share is removed. */
  #change(serviceId: string, change: (share: LRUCache<string, StoredResponse>) => unknown): void {
    const share = this.#shares.get(serviceId);
    if (!share) return;
    const before = share.calculatedSize;
    change(share);
    this.#bytes += share.calculatedSize - before;
    if (share.size === 0) this.#shares.delete(serviceId);
  }

  #largest(): string {
    const [[serviceId]] = [...this.#shares].toSorted(([, a], [, b]) => b.calculatedSize - a.calculatedSize) as [
      [string, unknown],
    ];
    return serviceId;
  }
}
