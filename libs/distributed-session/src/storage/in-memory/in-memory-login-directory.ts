import { isDue } from '../session-lifetime.js';
import type { ListLogins, LoginPage } from '../session-storage.operations.js';
import { HISTORY_LIMIT } from '../session-storage.js';
import { invalidCursor } from '../shared/storage-failure.js';
import { type EndedEntry, type InMemorySessionEntry, type LiveEntry, isLive } from './in-memory-session-entry.js';

/** The sessions of one user: the live ones in creation order, the ended ones in the order of their ends. */
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

  /** The number of sessions without a tombstone; some may be due. */
  get unendedCount(): number {
    return this.#live.length;
  }

  /** The sessions without a tombstone; some may be due. */
  get unended(): readonly LiveEntry[] {
    return this.#live.filter(isLive);
  }

  get ended(): readonly EndedEntry[] {
    return this.#ended;
  }

  liveAt(now: number): LiveEntry[] {
    return this.unended.filter((entry) => !isDue(entry.session, now));
  }

  dueAt(now: number): LiveEntry[] {
    return this.unended.filter((entry) => isDue(entry.session, now));
  }

  /** Adds a session at the end of the list, or in the place of the one that it succeeds. */
  add(entry: LiveEntry, inPlaceOf?: InMemorySessionEntry): void {
    if (inPlaceOf) this.#live[this.#live.indexOf(inPlaceOf)] = entry;
    else this.#live.push(entry);
  }

  /** Moves a session from the live ones to the history. Returns the entry that no longer fits there. */
  moveToHistory(entry: EndedEntry): EndedEntry | undefined {
    const at = this.#live.indexOf(entry);
    if (at >= 0) this.#live.splice(at, 1);
    const after = this.#ended.findLastIndex((other) => other.session.endedAt <= entry.session.endedAt);
    this.#ended.splice(after + 1, 0, entry);
    return this.#ended.length > HISTORY_LIMIT ? this.#ended[0] : undefined;
  }

  removeFromHistory(entry: EndedEntry): void {
    const at = this.#ended.indexOf(entry);
    if (at >= 0) this.#ended.splice(at, 1);
  }
}

interface Place {
  readonly number: number;
  login: InMemoryLogin | undefined;
}

/**
 * The users who are online, in the order in which they came online. Places are numbered and never reused: a cursor is a
 * number, and a page starts with a binary search. Empty places are removed when they are the majority.
 */
export class InMemoryLoginDirectory {
  #places: Place[] = [];
  readonly #placeOf = new Map<InMemoryLogin, Place>();
  #lastNumber = 0;

  /** The number of users who are listed. */
  get size(): number {
    return this.#placeOf.size;
  }

  /** Adds the user if there are live sessions, and removes the user if there is none. */
  update(login: InMemoryLogin): void {
    const place = this.#placeOf.get(login);
    if (login.isOnline && !place) {
      const taken: Place = { number: ++this.#lastNumber, login };
      this.#places.push(taken);
      this.#placeOf.set(login, taken);
    } else if (!login.isOnline && place) {
      place.login = undefined;
      this.#placeOf.delete(login);
      if (this.#places.length > 2 * this.#placeOf.size + 64) this.#places = [...this.#placeOf.values()];
    }
  }

  page({ cursor, limit }: ListLogins, now: number): LoginPage {
    const after = cursor === undefined ? 0 : numberOf(cursor);
    const logins: { loginId: string; sessions: number }[] = [];
    for (let index = this.#firstAfter(after); index < this.#places.length; index++) {
      const { number, login } = this.#places[index]!;
      const sessions = login?.liveAt(now).length ?? 0;
      if (!login || sessions === 0) continue;
      logins.push({ loginId: login.loginId, sessions });
      if (logins.length === limit) return { logins, nextCursor: String(number) };
    }
    return { logins };
  }

  #firstAfter(number: number): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle]!.number <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function numberOf(cursor: string): number {
  if (!/^[0-9]{1,15}$/.test(cursor)) throw invalidCursor();
  return Number(cursor);
}
