import { setImmediate } from 'node:timers/promises';
import type { ListedRecord } from '../storage/session-record.js';
import { type OpenedEntry, openEntry } from './listed-session.js';

/** The payloads that are decoded in one turn of the event loop, in bytes: one session of the default maximum size. */
const MAX_BYTES_PER_TURN = 65_536;

/**
 * Opens lists of sessions in several turns of the event loop, so that a user with many large sessions does not block
 * other requests. All lists share one turn's bytes. A turn decodes at most one payload more.
 */
export class DecodingTurns {
  #decodedBytes = 0;
  #nextTurn: Promise<void> | undefined;

  /** Opens the records in order. `view` makes of each what the caller needs, so that this takes turns, too. */
  async open<T>(records: readonly ListedRecord[], view: (entry: OpenedEntry) => T): Promise<readonly T[]> {
    const opened: T[] = [];
    for (const record of records) {
      while (this.#decodedBytes >= MAX_BYTES_PER_TURN) await (this.#nextTurn ??= this.#startTurn());
      opened.push(view(openEntry(record)));
      if (record.state === 'live') this.#decodedBytes += record.payload.byteLength;
    }
    return opened;
  }

  async #startTurn(): Promise<void> {
    await setImmediate();
    this.#decodedBytes = 0;
    this.#nextTurn = undefined;
  }
}
