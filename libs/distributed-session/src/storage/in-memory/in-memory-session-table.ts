import { toTombstone, expiredTombstone } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import type { SessionCounts } from '../session-storage.operations.js';
import type { ChangeListeners } from '../shared/change-listeners.js';
import { InMemoryExpiryQueue } from './in-memory-expiry-queue.js';
import { InMemoryLogin } from './in-memory-login.js';
import { InMemoryLoginDirectory } from './in-memory-login-directory.js';
import { type EndedEntry, type InMemorySessionEntry, type LiveEntry, isLive } from './in-memory-session-entry.js';

type Ending = Pick<SessionTombstone, 'reason' | 'endedAt' | 'endedBy' | 'actor' | 'rotatedTo' | 'graceEndsAt'>;

/** The sessions in memory and everything that must change together with them: lists, expiry, history, announcements. */
export class InMemorySessionTable {
  readonly #entries = new Map<string, InMemorySessionEntry>();
  readonly #logins = new Map<string, InMemoryLogin>();
  /** In the order of burial, so that the oldest history gives way first. */
  readonly #tombstones = new Set<EndedEntry>();
  readonly #queue = new InMemoryExpiryQueue();
  readonly directory = new InMemoryLoginDirectory();

  constructor(
    private readonly feed: ChangeListeners,
    private readonly maxTombstones: number,
  ) {}

  /** How many sessions have not been claimed; some may be due. */
  get unclaimedCount(): number {
    return this.#entries.size - this.#tombstones.size;
  }

  /** What has not been claimed, less what is due. It costs as much as is due, however much is stored. */
  countLive(now: number): SessionCounts {
    const due = this.#queue.dueSessions(now);
    const dueOf = new Map<string, number>();
    for (const { loginId } of due) dueOf.set(loginId, (dueOf.get(loginId) ?? 0) + 1);
    const offline = [...dueOf].filter(([loginId, count]) => count === this.#logins.get(loginId)!.unclaimedCount);
    return { sessions: this.unclaimedCount - due.length, logins: this.directory.size - offline.length };
  }

  /** The entry of a session id, unless its history is past. */
  find(sessionId: string, now: number): InMemorySessionEntry | undefined {
    const entry = this.#entries.get(sessionId);
    return entry && now < entry.purgeAt ? entry : undefined;
  }

  has(sessionId: string): boolean {
    return this.#entries.has(sessionId);
  }

  login(loginId: string): InMemoryLogin | undefined {
    return this.#logins.get(loginId);
  }

  add(session: SessionRecord, inPlaceOf?: LiveEntry): void {
    const login = this.#logins.get(session.loginId) ?? new InMemoryLogin(session.loginId);
    this.#logins.set(session.loginId, login);
    const entry = { session, purgeAt: Infinity } satisfies LiveEntry;
    this.#entries.set(session.sessionId, entry);
    login.list(entry, inPlaceOf);
    this.directory.update(login);
    this.#queue.add(entry);
    this.#queue.compact(this.#entries.values(), this.#entries.size);
  }

  /** Turns a live session into its tombstone and announces it, unless its rotation announces both. */
  end(entry: LiveEntry, ending: Ending, historyRetentionMs: number): SessionTombstone {
    return this.#bury(entry, toTombstone(entry.session, ending), historyRetentionMs);
  }

  /** Turns a due session into its tombstone and announces it. */
  claim(entry: LiveEntry, historyRetentionMs: number): void {
    this.#bury(entry, expiredTombstone(entry.session), historyRetentionMs);
  }

  /** Claims up to `limit` due sessions and drops the history that is past. */
  sweep(now: number, limit: number, historyRetentionMs: number): number {
    let claimed = 0;
    while (claimed < limit) {
      const entry = this.#queue.takeDue(now, (kept) => this.#entries.get(kept.session.sessionId) === kept);
      if (!entry) break;
      if (isLive(entry)) {
        this.claim(entry, historyRetentionMs);
        claimed++;
      } else {
        this.#drop(entry as EndedEntry);
      }
    }
    return claimed;
  }

  #bury(entry: LiveEntry, tombstone: SessionTombstone, historyRetentionMs: number): SessionTombstone {
    const ended: EndedEntry = Object.assign<InMemorySessionEntry, Pick<EndedEntry, 'session'>>(entry, {
      session: tombstone,
    });
    ended.purgeAt = tombstone.endedAt + historyRetentionMs;
    this.#tombstones.add(ended);
    this.#queue.add(ended);
    const login = this.#logins.get(tombstone.loginId)!;
    const overflow = login.bury(ended);
    if (overflow) this.#drop(overflow);
    if (this.#tombstones.size > this.maxTombstones) this.#drop(this.#tombstones.values().next().value!);
    this.directory.update(login);
    this.#announce(tombstone);
    return tombstone;
  }

  #drop(entry: EndedEntry): void {
    this.#entries.delete(entry.session.sessionId);
    this.#tombstones.delete(entry);
    const login = this.#logins.get(entry.session.loginId)!;
    login.forget(entry);
    if (login.isEmpty) this.#logins.delete(login.loginId);
  }

  #announce(tombstone: SessionTombstone): void {
    const { sessionId, loginId, serviceId, device, version, reason, endedAt, endedBy, actor, rotatedTo } = tombstone;
    const change = {
      sessionId,
      loginId,
      serviceId,
      ...(device !== undefined && { device }),
      version,
      by: endedBy,
      at: endedAt,
    };
    if (reason === 'rotated') this.feed.publish({ type: 'session.rotated', ...change, rotatedTo: rotatedTo! });
    else this.feed.publish({ type: 'session.ended', ...change, reason, ...(actor !== undefined && { actor }) });
  }
}
