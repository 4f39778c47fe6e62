import { SessionInputError } from '../../errors/session.errors.js';
import type { ListLogins, LoginPage } from '../session-storage.operations.js';
import type { InMemoryLogin } from './in-memory-login.js';

interface Place {
  readonly number: number;
  login: InMemoryLogin | undefined;
}

/**
 * Who is online, in the order of coming online. Places are numbered and never reused, so a cursor is a number and a
 * page starts with a binary search; places of logins that have left are swept up when they are the majority.
 */
export class InMemoryLoginDirectory {
  #places: Place[] = [];
  readonly #placeOf = new Map<InMemoryLogin, Place>();
  #lastNumber = 0;

  /** How many logins are listed. */
  get size(): number {
    return this.#placeOf.size;
  }

  /** Lists the login if it has live sessions, and unlists it if it has none. */
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
  if (!/^[0-9]{1,15}$/.test(cursor)) {
    throw new SessionInputError(
      'cursor',
      'format',
      'is not one that listLogins() returned; leave it out to start over.',
    );
  }
  return Number(cursor);
}
