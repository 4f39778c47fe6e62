import type { Cell, Row } from '../records/row-reader.js';
import type { StatementLimits } from './statement-style.js';

/** A statement with its values in the forms that `pg` sends. */
export interface StatementCall {
  readonly name?: string;
  readonly text: string;
  readonly values?: (string | Buffer | null)[];
}

/** The connection of a client of `pg`, as far as a query object uses it. `pg-cursor` relies on the same methods. */
interface WireConnection {
  readonly stream: { cork?(): void; uncork?(): void };
  parse(message: { text: string; name?: string }): void;
  bind(message: { statement?: string; values?: readonly unknown[] }): void;
  execute(message: object): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
  sendCopyFail(reason: string): void;
}

/**
 * A statement in its own transaction, sent in one round trip: the settings that it relies on last as long as the
 * transaction, so they neither depend on the server session nor remain in it. If the statement fails, the transaction is
 * still open, and `ROLLBACK` must follow.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class TransactionQuery {
  /** For `pg`, and for instrumentation that names spans. The values stay private. */
  readonly text: string;
  callback: ((error: unknown, rows?: readonly Row[]) => void) | undefined;
  readonly #call: StatementCall;
  readonly #settings: readonly string[];
  readonly #prepared: Set<string>;
  readonly #rows: Row[] = [];

  /** @param prepared - The names that this connection has prepared so far. */
  constructor(call: StatementCall, limits: StatementLimits, prepared: Set<string>) {
    this.text = call.text;
    this.#call = call;
    this.#prepared = prepared;
    this.#settings = [
      // A function that has waited for a lock must see what the lock's holder committed.
      'BEGIN ISOLATION LEVEL READ COMMITTED',
      `SET LOCAL statement_timeout = ${limits.statementMs}`,
      `SET LOCAL lock_timeout = ${limits.lockMs}`,
      // The warning of a commit that no standby confirmed.
      'SET LOCAL client_min_messages = warning',
    ];
  }

  submit(connection: WireConnection): null {
    connection.stream.cork?.();
    try {
      for (const text of this.#settings) sendUtility(connection, text);
      this.#send(connection);
      sendUtility(connection, 'COMMIT');
      connection.sync();
    } finally {
      connection.stream.uncork?.();
    }
    return null;
  }

  handleDataRow({ fields }: { readonly fields: Cell[] }): void {
    this.#rows.push(fields);
  }

  handleReadyForQuery(): void {
    if (this.#call.name !== undefined) this.#prepared.add(this.#call.name);
    this.callback?.(null, this.#rows);
  }

  handleError(error: unknown): void {
    // It may have failed before or after it was prepared.
    if (this.#call.name !== undefined) this.#prepared.delete(this.#call.name);
    this.callback?.(error);
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(connection: WireConnection): void {
    connection.sendCopyFail('No statement of this library copies');
  }
  handleCopyData(): void {}

  #send(connection: WireConnection): void {
    const { name = '', text, values = [] } = this.#call;
    if (!this.#prepared.has(name)) {
      // Closing a name that does not exist is not an error.
      if (name !== '') connection.close({ type: 'S', name });
      connection.parse({ text, name });
    }
    connection.bind({ statement: name, values });
    connection.execute({});
  }
}

function sendUtility(connection: WireConnection, text: string): void {
  connection.parse({ text });
  connection.bind({});
  connection.execute({});
}
