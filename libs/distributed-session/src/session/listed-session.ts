import { StorageCorruptError, StorageNewerFormatError } from '../errors/storage.errors.js';
import type { ListedSession, UnreadableCause, UnreadableSession } from '../model/session.js';
import type { ServiceAccess } from '../service/service-access.js';
import type { ListedRecord, UnreadableRecord } from '../storage/session-record.js';
import { type OpenSession, openSession, toSession } from './open-session.js';

/** An entry of a user's list, opened as far as it can be read. */
export type OpenedEntry = OpenSession | UnreadableRecord;

/** The numbers of a record that cannot be opened may be invalid. */
const NUMBERS = [
  'version',
  'createdAt',
  'lastAccessedAt',
  'idleTimeoutMs',
  'expiresAt',
  'absoluteExpiresAt',
] as const satisfies (keyof UnreadableRecord)[];

/** Opens an entry of a list. One that cannot be read is returned as unreadable, so that it does not hide the others. */
export function openEntry(record: ListedRecord): OpenedEntry {
  if (record.state === 'unreadable') return record;
  try {
    return openSession(record);
  } catch (error) {
    const cause = unreadableCause(error);
    if (cause === undefined) throw error;
    const { sessionId, loginId, serviceId, device } = record;
    const numbers = NUMBERS.filter((name) => Number.isSafeInteger(record[name]));
    return {
      state: 'unreadable',
      cause,
      sessionId,
      loginId,
      serviceId,
      ...(device !== undefined && { device }),
      ...Object.fromEntries(numbers.map((name) => [name, record[name]])),
    };
  }
}

/** Returns the frozen snapshot for a list of a user's sessions, with the device and the client. */
export function toListedSession(entry: OpenedEntry, access: ServiceAccess): ListedSession {
  if (!('state' in entry)) return toSession(entry, access, true);
  const { state, cause, ...header } = entry;
  return Object.freeze<UnreadableSession>({ unreadable: cause, ...header });
}

/** Returns why a session cannot be read, or `undefined` for any other error. */
export function unreadableCause(error: unknown): UnreadableCause | undefined {
  if (error instanceof StorageNewerFormatError) return 'newer-format';
  return error instanceof StorageCorruptError ? 'corrupt' : undefined;
}
