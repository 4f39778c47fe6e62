import { RequestError } from '../http/problem.js';

const MAX_STREAMS = 1_000;

/** Counts the open streams of each service. The total is limited, and each service's share. */
export class StreamSlots {
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(private readonly maxPerService: number) {}

  get total(): number {
    return this.#total;
  }

  /**
   * Takes a slot, and returns the function that frees it.
   *
   * @throws {RequestError} when a limit is reached.
   */
  take(serviceId: string): () => void {
    const open = this.#open.get(serviceId) ?? 0;
    if (open >= this.maxPerService) {
      throw tooMany(`Service '${serviceId}' has reached its limit of ${this.maxPerService} open event streams.`);
    }
    if (this.#total >= MAX_STREAMS) throw tooMany(`The limit of ${MAX_STREAMS} open event streams is reached.`);
    this.#add(serviceId, 1);
    return () => this.#add(serviceId, -1);
  }

  #add(serviceId: string, difference: 1 | -1): void {
    this.#total += difference;
    const open = (this.#open.get(serviceId) ?? 0) + difference;
    if (open === 0) this.#open.delete(serviceId);
    else this.#open.set(serviceId, open);
  }
}

function tooMany(limit: string): RequestError {
  return new RequestError('ERR_TOO_MANY_STREAMS', `${limit} Close a stream, or retry later.`);
}
