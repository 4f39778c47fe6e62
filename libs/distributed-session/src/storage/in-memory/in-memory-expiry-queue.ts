import TinyQueue from 'tinyqueue';
import { isDue } from '../session-lifetime.js';
import type { SessionRecord } from '../session-record.js';
import { type InMemorySessionEntry, isLive } from './in-memory-session-entry.js';

interface ScheduledEntry {
  readonly at: number;
  readonly entry: InMemorySessionEntry;
}

/** Returns when the entry is due next: at its expiry while it is live, at the end of its retention afterwards. */
function dueAtOf(entry: InMemorySessionEntry): number {
  return isLive(entry) ? entry.session.expiresAt : entry.purgeAt;
}

/**
 * The entries by the time at which they are due, earliest first. A touch does not reorder them: an entry that comes
 * too early is scheduled again, so an access costs nothing here.
 */
export class InMemoryExpiryQueue {
  #queue = new TinyQueue<ScheduledEntry>([], (a, b) => a.at - b.at);

  add(entry: InMemorySessionEntry): void {
    this.#queue.push({ at: dueAtOf(entry), entry });
  }

  /** Removes and returns the next due entry, or returns `undefined`. `isKept` returns whether an entry is still stored. */
  takeDue(now: number, isKept: (entry: InMemorySessionEntry) => boolean): InMemorySessionEntry | undefined {
    for (let next = this.#queue.peek(); next && !(now < next.at); next = this.#queue.peek()) {
      this.#queue.pop();
      const { at, entry } = next;
      if (!isKept(entry)) continue;
      const due = dueAtOf(entry);
      if (!(now < due)) return entry;
      // Only a live session is scheduled again: an ended one was, for the end of its retention, when it ended.
      if (isLive(entry) && at < due) this.add(entry);
    }
    return undefined;
  }

  /** Returns the live sessions that are due, in any order, and removes none: a walk over the due part of the heap. */
  dueSessions(now: number): SessionRecord[] {
    const heap = this.#queue.data;
    const due: SessionRecord[] = [];
    const pending = [0];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      const scheduled = heap[index];
      if (!scheduled || now < scheduled.at) continue;
      if (isLive(scheduled.entry) && isDue(scheduled.entry.session, now)) due.push(scheduled.entry.session);
      pending.push(2 * index + 1, 2 * index + 2);
    }
    return due;
  }

  /** Bounds the queue by what is stored: drops the entries that are gone once they are the majority. */
  compact(kept: Iterable<InMemorySessionEntry>, keptCount: number): void {
    if (this.#queue.length <= 2 * keptCount + 1_000) return;
    const scheduled = Array.from(kept, (entry) => ({ at: dueAtOf(entry), entry }));
    this.#queue = new TinyQueue(scheduled, (a, b) => a.at - b.at);
  }
}
