import { LOG_SEPARATOR } from './postgres-settings.js';

/** A statement that a client has sent: with the driver of the tests each one is a round trip. */
export interface LoggedStatement {
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
  /** Its text; several if they were sent as one. */
  readonly text: string;
  /** By which it was prepared; absent for one without parameters, `<unnamed>` for one that is prepared each time. */
  readonly preparedAs?: string;
}

/** A message begins at the start of a line; its further lines begin with a tab. */
const BETWEEN_MESSAGES = /\n(?!\t)/u;
/** Statements of the simple protocol, and of the extended one; there each execution is logged, not its preparation. */
const STATEMENT = /^LOG: {2}(?:statement|execute ([^]*?)): ([^]*)$/u;

/** The statements in the log of a server with `log_statement = all`, in their order. */
export function readStatements(log: string): LoggedStatement[] {
  return log.split(BETWEEN_MESSAGES).flatMap((message) => {
    const [, , user = '', database = '', applicationName = '', ...rest] = message.split(LOG_SEPARATOR);
    const [, preparedAs, text] = STATEMENT.exec(rest.join(LOG_SEPARATOR)) ?? [];
    if (text === undefined) return [];
    const statement = { user, database, applicationName, text: text.replaceAll('\n\t', '\n').trimEnd() };
    return [preparedAs === undefined ? statement : { ...statement, preparedAs }];
  });
}
