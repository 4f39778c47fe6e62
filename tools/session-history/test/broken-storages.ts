import { InMemorySessionStorage, type SessionStorage, StorageUnavailableError } from 'nestjs-distributed-session';
import type {
  EndSession,
  ReplaceSession,
  SessionRecord,
  SessionTimes,
  StorageChangeListener,
  StoredSession,
} from 'nestjs-distributed-session/storage';
import type { InvariantId } from '../src/invariants/invariant.js';

class ReplaceWithoutVersionCheck extends InMemorySessionStorage {
  override async replace(change: ReplaceSession) {
    const current = await this.get(change.sessionId);
    return super.replace({ ...change, expectedVersion: current?.version ?? change.expectedVersion });
  }
}

class ReplaceInTwoSteps extends InMemorySessionStorage {
  override async replace(change: ReplaceSession) {
    const seen = await this.get(change.sessionId);
    if (seen?.state !== 'live' || seen.version !== change.expectedVersion) return super.replace(change);
    await new Promise((resolve) => setImmediate(resolve));
    const now = await this.get(change.sessionId);
    const written = await super.replace({ ...change, expectedVersion: now?.version ?? change.expectedVersion });
    if (written.outcome !== 'replaced') return written;
    return { ...written, session: { ...written.session, version: change.expectedVersion + 1 } };
  }
}

class EndWithoutTombstone extends InMemorySessionStorage {
  readonly #forgotten = new Set<string>();

  override async end(ending: EndSession) {
    const ended = await super.end(ending);
    if (ended.outcome === 'ended') this.#forgotten.add(ending.sessionId);
    return ended;
  }

  override async listHistory(loginId: string) {
    return (await super.listHistory(loginId)).filter(({ sessionId }) => !this.#forgotten.has(sessionId));
  }
}

class StaleReads extends InMemorySessionStorage {
  readonly #cache = new Map<string, { readonly session: StoredSession | undefined; readonly until: number }>();

  override async get(sessionId: string) {
    const cached = this.#cache.get(sessionId);
    if (cached && performance.now() < cached.until) return cached.session;
    const session = await super.get(sessionId);
    this.#cache.set(sessionId, { session, until: performance.now() + 20 });
    return session;
  }
}

class TouchOfTheDead extends InMemorySessionStorage {
  readonly #times = new Map<string, SessionTimes>();

  override async touch(sessionIds: readonly string[]) {
    const touched = await super.touch(sessionIds);
    for (const times of touched) if (times) this.#times.set(times.sessionId, times);
    return sessionIds.map((sessionId, index) => touched[index] ?? this.#times.get(sessionId));
  }
}

class AppliedAndDenied extends InMemorySessionStorage {
  #calls = 0;

  override async replace(change: ReplaceSession) {
    const replaced = await super.replace(change);
    if (++this.#calls % 20 === 0) throw new StorageUnavailableError();
    return replaced;
  }
}

class ShortLists extends InMemorySessionStorage {
  override async listByLogin(loginId: string) {
    return (await super.listByLogin(loginId)).slice(0, 3);
  }
}

class MixedUpReads extends InMemorySessionStorage {
  #last: SessionRecord | undefined;

  override async get(sessionId: string) {
    const session = await super.get(sessionId);
    if (session?.state !== 'live') return session;
    const mixed = this.#last && { ...session, payload: this.#last.payload };
    this.#last = session;
    return mixed ?? session;
  }
}

class LateExpiry extends InMemorySessionStorage {
  constructor() {
    super({ clock: { now: () => Date.now() - 120 } });
  }

  override now() {
    return Date.now();
  }
}

class LossyFeed extends InMemorySessionStorage {
  #delivered = 0;

  override changes(listener: StorageChangeListener) {
    return super.changes((change) => (++this.#delivered % 100 === 0 ? undefined : listener(change)));
  }
}

class RepeatingFeed extends InMemorySessionStorage {
  override changes(listener: StorageChangeListener) {
    return super.changes((change) => {
      listener(change);
      if ('version' in change && change.version === 5) listener(change);
    });
  }
}

/** Storages that break the contract, each in one subtle way, with an invariant that does not hold then. */
export const BROKEN_STORAGES: readonly (readonly [InvariantId, string, new () => SessionStorage])[] = [
  ['reads-are-their-own', 'reads with the payload of another session', MixedUpReads],
  ['ended-stays-ended', 'touches what has ended', TouchOfTheDead],
  ['versions-never-go-back', 'serves reads from a cache', StaleReads],
  ['no-update-is-lost', 'replaces whatever the version', ReplaceWithoutVersionCheck],
  ['no-update-is-lost', 'reads the version in one step and writes in another', ReplaceInTwoSteps],
  ['nothing-outlives-its-end', 'notices too late that a session is due', LateExpiry],
  ['applied-means-visible', 'says that a write was not applied which was', AppliedAndDenied],
  ['lists-are-the-live-sessions', 'leaves sessions out of long lists', ShortLists],
  ['each-end-recorded-once', 'ends without a tombstone', EndWithoutTombstone],
  ['each-announced-once', 'loses announcements', LossyFeed],
  ['each-announced-once', 'repeats announcements', RepeatingFeed],
];
