import TinyQueue from 'tinyqueue';
import { isDue } from '../session-lifetime.js';
import type { SessionRecord } from '../session-record.js';
import { type InMemorySessionEntry, isLive } from './in-memory-session-entry.js';

interface Appointment {
  readonly at: number;
  readonly entry: InMemorySessionEntry;
}

/** When the entry is due next: its expiry while it is live, the end of its retention afterwards. */
function nextAppointment(entry: InMemorySessionEntry): number {
  return isLive(entry) ? entry.session.expiresAt : entry.purgeAt;
}

/**
 * The entries by the time at which they are due, earliest first. A touch does not reorder them: an appointment that
 * comes too early is renewed, so an access costs nothing here.
 */
export class InMemoryExpiryQueue {
  #queue = new TinyQueue<Appointment>([], (a, b) => a.at - b.at);

  add(entry: InMemorySessionEntry): void {
    this.#queue.push({ at: nextAppointment(entry), entry });
  }

  /** Removes and returns the next due entry, or returns `undefined`. `isKept` returns whether an entry is still stored. */
  takeDue(now: number, isKept: (entry: InMemorySessionEntry) => boolean): InMemorySessionEntry | undefined {
    for (let next = this.#queue.peek(); next && !(now < next.at); next = this.#queue.peek()) {
      this.#queue.pop();
      const { at, entry } = next;
      if (!isKept(entry)) continue;
      const due = nextAppointment(entry);
      if (!(now < due)) return entry;
      // Only a live session is renewed: an ended one has a separate appointment for the end of its retention.
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
      const appointment = heap[index];
      if (!appointment || now < appointment.at) continue;
      if (isLive(appointment.entry) && isDue(appointment.entry.session, now)) due.push(appointment.entry.session);
      pending.push(2 * index + 1, 2 * index + 2);
    }
    return due;
  }

  /** Bounds the queue by what is stored: drops the appointments of entries that are gone once they are the majority. */
  compact(kept: Iterable<InMemorySessionEntry>, keptCount: number): void {
    if (this.#queue.length <= 2 * keptCount + 1_000) return;
    const appointments = Array.from(kept, (entry) => ({ at: nextAppointment(entry), entry }));
    this.#queue = new TinyQueue(appointments, (a, b) => a.at - b.at);
  }
}
