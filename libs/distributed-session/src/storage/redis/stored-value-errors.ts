import { Logger } from '@nestjs/common';
import { StorageCorruptError, StorageNewerFormatError } from '../../errors/storage.errors.js';
import { UnreadableValueError } from './records/stored-session.js';

/** Creates the error for an unreadable value: where it is and how to fix it, without its content. */
export function unreadable(
  what: string,
  key: string,
  field: string,
  error: unknown,
): StorageCorruptError | StorageNewerFormatError {
  if (error instanceof UnreadableValueError && error.newerFormat) return new StorageNewerFormatError(what);
  return new StorageCorruptError(
    `${what} cannot be read: the stored value is not a valid record. Find out what wrote it, then end the session or remove it: ` +
      `HDEL ${key} ${field}`,
  );
}

const logger = new Logger('RedisSessionStorage');

/** Logs that a user was skipped, because the key of its sessions cannot be read at all. */
export function logUnreadableLogin(key: string, error: StorageCorruptError): void {
  logger.error(`Skipped the sessions under ${key}. ${error.message}`);
}
