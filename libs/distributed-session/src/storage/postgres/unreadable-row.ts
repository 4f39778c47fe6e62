import { Logger } from '@nestjs/common';
import { StorageCorruptError } from '../../errors/storage.errors.js';
import { escapeText } from './records/escaped-text.js';
import { type SchemaNames, literal } from './schema/schema-names.js';

const logger = new Logger('PostgresSessionStorage');

/** The error for a session's unreadable row: where it is, and the way out. It contains no value of the row. */
export function unreadableSession(names: SchemaNames, sessionId: string): StorageCorruptError {
  return new StorageCorruptError(
    `Session ${sessionId} cannot be read: its row was not written by this library, or was edited. Find out what wrote it, ` +
      `then end the session, or remove it: DELETE FROM ${names.of('session')} WHERE session_id = ${literal(sessionId)}; ` +
      `SELECT ${names.of('recount_sessions')}()`,
  );
}

/** The error for a service's unreadable row. */
export function unreadableService(names: SchemaNames, serviceId: string): StorageCorruptError {
  return new StorageCorruptError(
    `Service ${serviceId} cannot be read: its row in ${names.of('service')}, or one in ${names.of('service_secret')}, was ` +
      `not written by this library, or was edited. Find out what wrote it, then remove it, and register the service again: ` +
      `DELETE FROM ${names.of('service')} WHERE service_id = ${literal(escapeText(serviceId))}`,
  );
}

/** Logs that a list contains a session that cannot be read, or omits a tombstone. */
export function reportUnreadableSession(names: SchemaNames, sessionId: string): void {
  logger.error(`A list contains an unreadable session. ${unreadableSession(names, sessionId).message}`);
}
