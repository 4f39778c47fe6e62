import { LOG_SEPARATOR } from './postgres-settings.js';

/** A statement that a client has sent. With the tests' driver, each one is a round trip. */
export interface LoggedStatement {
  readonly user: string;
  readonly database: string;
  readonly applicationName: string;
  /** Its text; several statements if they were sent together. */
  readonly text: string;
  /** Its prepared name; absent without parameters, `<unnamed>` if it is prepared each time. */
  readonly preparedAs?: string;
}

/** A message starts at the beginning of a line; its further lines start with a tab. */
const BETWEEN_MESSAGES = /\n(?!\t)/u;
/** Statements of the simple and the extended protocol; for the latter, executions are logged, not preparations. */
const STATEMENT = /^LOG: {2}(?:statement|execute ([^]*?)): ([^]*)$/u;

/** The statements in the log of a server with `log_statement = all`, in order. */
export function readStatements(log: string): LoggedStatement[] {
  return log.split(BETWEEN_MESSAGES).flatMap((message) => {
    const [, , user = '', database = '', applicationName = '', ...rest] = message.split(LOG_SEPARATOR);
    const [, preparedAs, text] = STATEMENT.exec(rest.join(LOG_SEPARATOR)) ?? [];
    if (text === undefined) return [];
    const statement = { user, database, applicationName, text: text.replaceAll('\n\t', '\n').trimEnd() };
    return [preparedAs === undefined ? statement : { ...statement, preparedAs }];
  });
}
