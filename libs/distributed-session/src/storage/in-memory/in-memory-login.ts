import { HISTORY_LIMIT } from '../session-storage.js';
import { type EndedEntry, type InMemorySessionEntry, type LiveEntry, isLive } from './in-memory-session-entry.js';
import { isDue } from '../session-lifetime.js';

/** The sessions of one login: the live ones in the order of their creation, the ended ones in the order of their end. */
export class InMemoryLogin {
  readonly #live: InMemorySessionEntry[] = [];
  readonly #ended: EndedEntry[] = [];

  constructor(readonly loginId: string) {}

  get isOnline(): boolean {
    return this.#live.length > 0;
  }

  get isEmpty(): boolean {
    return this.#live.length === 0 && this.#ended.length === 0;
  }

  /** How many sessions have not been claimed; some may be due. */
  get unclaimedCount(): number {
    return this.#live.length;
  }

  /** All sessions that have not been claimed; some may be due. */
  get unclaimed(): readonly LiveEntry[] {
    return this.#live.filter(isLive);
  }

  get ended(): readonly EndedEntry[] {
    return this.#ended;
  }

  liveAt(now: number): LiveEntry[] {
    return this.unclaimed.filter((entry) => !isDue(entry.session, now));
  }

  dueAt(now: number): LiveEntry[] {
    return this.unclaimed.filter((entry) => isDue(entry.session, now));
  }

  /** Lists a session last, or in the place of the one that it succeeds. */
  list(entry: LiveEntry, inPlaceOf?: InMemorySessionEntry): void {
    if (inPlaceOf) this.#live[this.#live.indexOf(inPlaceOf)] = entry;
    else this.#live.push(entry);
  }

  /** Moves a session from the live ones, where it may have been succeeded, to its place in the history; returns what no longer fits there. */
  bury(entry: EndedEntry): EndedEntry | undefined {
    const at = this.#live.indexOf(entry);
    if (at >= 0) this.#live.splice(at, 1);
    const after = this.#ended.findLastIndex((other) => other.session.endedAt <= entry.session.endedAt);
    this.#ended.splice(after + 1, 0, entry);
    return this.#ended.length > HISTORY_LIMIT ? this.#ended[0] : undefined;
  }

  forget(entry: EndedEntry): void {
    const at = this.#ended.indexOf(entry);
    if (at >= 0) this.#ended.splice(at, 1);
  }
}
