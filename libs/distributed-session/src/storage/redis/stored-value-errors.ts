import { Logger } from '@nestjs/common';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import { UnreadableValueError } from './records/stored-session.js';

/** What to tell of a value that cannot be read: where it is and the way out, and nothing of what it holds. */
export function unreadable(what: string, key: string, field: string, error: unknown): StorageCorruptError {
  const newer = error instanceof UnreadableValueError && error.newerFormat;
  return new StorageCorruptError(
    newer
      ? `${what} was written by a later release, in a format that this one does not know. Use that release here too.`
      : `${what} cannot be read: what is stored is no record of this library. Find out who wrote it, then remove it: ` +
          `HDEL ${key} ${field}`,
  );
}

const logger = new Logger('RedisSessionStorage');

/** Tells the log of a login that was left out, because nothing about it can be read. */
export function reportUnreadableLogin(key: string, error: StorageCorruptError): void {
  logger.error(`The sessions under ${key} were left out. ${error.message}`);
}
