import { StorageCorruptError } from '../errors/storage.errors.js';
import type { SessionHistoryEntry } from '../model/session.js';
import type { SessionStorage } from '../storage/session-storage.js';
import type { ListLogins, LoginPage, SessionCounts } from '../storage/session-storage.operations.js';
import { type OpenSession, openSession, toHistoryEntry } from './open-session.js';

/** Lists and counts sessions. None of its reads is an access. */
export class SessionDirectory {
  constructor(private readonly storage: SessionStorage) {}

  /** The live sessions of a user, in order of creation. */
  async list(loginId: string): Promise<readonly OpenSession[]> {
    const records = await this.storage.listByLogin(loginId);
    if (records.every((record) => record.loginId === loginId)) return records.map(openSession);
    throw new StorageCorruptError("The storage returned another user's session.");
  }

  /** The ended sessions of a user, the most recent first. */
  async history(loginId: string): Promise<readonly SessionHistoryEntry[]> {
    return (await this.storage.listHistory(loginId)).map(toHistoryEntry);
  }

  async count(): Promise<SessionCounts> {
    return this.storage.count();
  }

  async listLogins(page: ListLogins): Promise<LoginPage> {
    return this.storage.listLogins(page);
  }
}
