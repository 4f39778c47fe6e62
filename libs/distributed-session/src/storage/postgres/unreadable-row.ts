import { Logger } from '@nestjs/common';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import { escapeText } from './records/escaped-text.js';
import { type SchemaNames, literal } from './schema/schema-names.js';

const logger = new Logger('PostgresSessionStorage');

/** What to tell of a row that cannot be read: where it is and the way out, and nothing of what it holds. */
export function unreadableSession(names: SchemaNames, sessionId: string): StorageCorruptError {
  return new StorageCorruptError(
    `Session ${sessionId} cannot be read: its row was not written by this library, or was edited. Find out by whom, ` +
      `then remove it: DELETE FROM ${names.session} WHERE session_id = ${literal(sessionId)}; ` +
      `SELECT ${names.of('recount_sessions')}()`,
  );
}

export function unreadableService(names: SchemaNames, serviceId: string): StorageCorruptError {
  return new StorageCorruptError(
    `Service ${serviceId} cannot be read: its row in ${names.service}, or one in ${names.serviceSecret}, was not ` +
      `written by this library, or was edited. Find out by whom, then remove it, and register the service again: ` +
      `DELETE FROM ${names.service} WHERE service_id = ${literal(escapeText(serviceId))}`,
  );
}

/** Tells the log of a session that was left out, because it cannot be read. */
export function reportUnreadableSession(names: SchemaNames, sessionId: string): void {
  logger.error(`It was left out of a list. ${unreadableSession(names, sessionId).message}`);
}
