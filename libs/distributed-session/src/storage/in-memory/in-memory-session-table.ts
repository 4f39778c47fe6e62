import { StorageFullError } from '../../errors/storage.errors.js';
import { asSeenAt, expiredTombstone, toTombstone } from '../session-lifetime.js';
import type { SessionRecord, SessionTombstone } from '../session-record.js';
import type { SessionCounts, SessionWriteRefusal } from '../session-storage.operations.js';
import type { ChangeListeners } from '../shared/change-listeners.js';
import { InMemoryExpiryQueue } from './in-memory-expiry-queue.js';
import { InMemoryLogin, InMemoryLoginDirectory } from './in-memory-login-directory.js';
import {
  type EndedEntry,
  type InMemorySessionEntry,
  type LiveEntry,
  changeOf,
  copyOf,
  isLive,
} from './in-memory-session-entry.js';

type Ending = Pick<SessionTombstone, 'reason' | 'endedAt' | 'endedBy' | 'actor' | 'rotatedTo' | 'graceEndsAt'>;

/** The sessions in memory and everything that changes together with them: lists, expiry, history, change feed. */
export class InMemorySessionTable {
  readonly #entries = new Map<string, InMemorySessionEntry>();
  readonly #logins = new Map<string, InMemoryLogin>();
  /** In the order of their creation, so that the oldest history gives way first. */
  readonly #tombstones = new Set<EndedEntry>();
  readonly #queue = new InMemoryExpiryQueue();
  readonly directory = new InMemoryLoginDirectory();

  constructor(
    private readonly feed: ChangeListeners,
    /** Maximum number of live sessions, and of tombstones. */
    private readonly maxSessions: number,
  ) {}

  /** The number of sessions without a tombstone; some may be due. */
  get unendedCount(): number {
    return this.#entries.size - this.#tombstones.size;
  }

  /** Counts the live sessions and their users. The cost depends on how many are due, not on how many are stored. */
  countLive(now: number): SessionCounts {
    const due = this.#queue.dueSessions(now);
    const dueOf = new Map<string, number>();
    for (const { loginId } of due) dueOf.set(loginId, (dueOf.get(loginId) ?? 0) + 1);
    const offline = [...dueOf].filter(([loginId, count]) => count === this.#logins.get(loginId)!.unendedCount);
    return { sessions: this.unendedCount - due.length, logins: this.directory.size - offline.length };
  }

  /** Returns the entry of a session id, unless its retention is over. */
  find(sessionId: string, now: number): InMemorySessionEntry | undefined {
    const entry = this.#entries.get(sessionId);
    return entry && now < entry.purgeAt ? entry : undefined;
  }

  /** Returns the live session at this version, or why it cannot be written. */
  findAtVersion(sessionId: string, expectedVersion: number, now: number): LiveEntry | SessionWriteRefusal {
    const entry = this.find(sessionId, now);
    if (!entry) return { outcome: 'missing' };
    const seen = asSeenAt(entry.session, now);
    if (seen.state === 'ended') return { outcome: 'ended', session: copyOf(seen) };
    if (seen.version !== expectedVersion) return { outcome: 'conflict', session: copyOf(seen) };
    return entry as LiveEntry;
  }

  has(sessionId: string): boolean {
    return this.#entries.has(sessionId);
  }

  login(loginId: string): InMemoryLogin | undefined {
    return this.#logins.get(loginId);
  }

  /** Throws a `StorageFullError` unless a session fits in besides those that it displaces and those that are due. */
  assertRoom(now: number, displaced: number, historyRetentionMs: number): void {
    if (this.unendedCount - displaced < this.maxSessions) return;
    this.sweep(now, Infinity, historyRetentionMs);
    if (this.unendedCount - displaced >= this.maxSessions) throw new StorageFullError(this.maxSessions);
  }

  add(session: SessionRecord, inPlaceOf?: LiveEntry): void {
    const login = this.#logins.get(session.loginId) ?? new InMemoryLogin(session.loginId);
    this.#logins.set(session.loginId, login);
    const entry = { session, purgeAt: Infinity } satisfies LiveEntry;
    this.#entries.set(session.sessionId, entry);
    login.add(entry, inPlaceOf);
    this.directory.update(login);
    this.#queue.add(entry);
    this.#queue.compact(this.#entries.values(), this.#entries.size);
  }

  /** Turns a live session into its tombstone and publishes the end. */
  end(entry: LiveEntry, ending: Ending, historyRetentionMs: number): SessionTombstone {
    return this.#replace(entry, toTombstone(entry.session, ending), historyRetentionMs);
  }

  /** Turns a due session into its tombstone and publishes the end. */
  expire(entry: LiveEntry, historyRetentionMs: number): void {
    this.#replace(entry, expiredTombstone(entry.session), historyRetentionMs);
  }

  /** Expires up to `limit` due sessions and drops tombstones past their retention. Returns how many expired. */
  sweep(now: number, limit: number, historyRetentionMs: number): number {
    let expired = 0;
    while (expired < limit) {
      const entry = this.#queue.takeDue(now, (kept) => this.#entries.get(kept.session.sessionId) === kept);
      if (!entry) break;
      if (isLive(entry)) {
        this.expire(entry, historyRetentionMs);
        expired++;
      } else {
        this.#drop(entry as EndedEntry);
      }
    }
    return expired;
  }

  #replace(entry: LiveEntry, tombstone: SessionTombstone, historyRetentionMs: number): SessionTombstone {
    const ended: EndedEntry = Object.assign<InMemorySessionEntry, Pick<EndedEntry, 'session'>>(entry, {
      session: tombstone,
    });
    ended.purgeAt = tombstone.endedAt + historyRetentionMs;
    this.#tombstones.add(ended);
    this.#queue.add(ended);
    const login = this.#logins.get(tombstone.loginId)!;
    const overflow = login.moveToHistory(ended);
    if (overflow) this.#drop(overflow);
    if (this.#tombstones.size > this.maxSessions) this.#drop(this.#tombstones.values().next().value!);
    this.directory.update(login);
    this.#publish(tombstone);
    return tombstone;
  }

  #drop(entry: EndedEntry): void {
    this.#entries.delete(entry.session.sessionId);
    this.#tombstones.delete(entry);
    const login = this.#logins.get(entry.session.loginId)!;
    login.removeFromHistory(entry);
    if (login.isEmpty) this.#logins.delete(login.loginId);
  }

  #publish(tombstone: SessionTombstone): void {
    const { reason, actor, rotatedTo } = tombstone;
    const change = {
      ...changeOf(tombstone, tombstone.endedBy, tombstone.endedAt),
      ...(actor !== undefined && { actor }),
    };
    if (reason === 'rotated') this.feed.publish({ type: 'session.rotated', ...change, rotatedTo: rotatedTo! });
    else this.feed.publish({ type: 'session.ended', ...change, reason });
  }
}
