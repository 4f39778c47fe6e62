/** A connection of a pool, as far as this library uses it. A client of `pg` is one. */
export interface PostgresClient {
  /** The process of the server session, as reported at the start of the connection. A pooler reports a made-up number. */
  readonly processID?: number | null;
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  on(event: 'notification', listener: (message: PostgresNotification) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'notice', listener: (notice: { readonly code?: string }) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  /** Returns the connection to the pool, or closes it with `true`. */
  release(destroy?: boolean): void;
}

export interface PostgresNotification {
  readonly channel: string;
  readonly payload?: string;
}

export interface PostgresQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
  readonly rowMode: 'array';
  readonly types: { getTypeParser(...given: unknown[]): (value: string) => unknown };
}

/**
 * A pool of connections, as far as this library uses it: a `Pool` of `pg` is one. It is declared here so that programs
 * compile without the types of `pg`.
 */
export interface PostgresPool {
  readonly options?: object;
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect', listener: (client: PostgresClient) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'connect', listener: (client: PostgresClient) => void): unknown;
}

/** Values as PostgreSQL sends them. The process may have set other type parsers for its own use of `pg`. */
export const AS_TEXT: PostgresQuery['types'] = { getTypeParser: () => (value) => value };
