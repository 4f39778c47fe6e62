/** How statements are sent through a pool: what they may rely on. */
export interface StatementStyle {
  /** Whether they are prepared under a name: the server session must serve this connection only. */
  readonly isNamed: boolean;
  /** Where their timeouts are set: once in the server session, in each transaction, or nowhere. */
  readonly limits: 'session' | 'transaction' | 'none';
}

/** A connection to the server itself, whose session has the settings that the storage requires. */
export const DIRECT: StatementStyle = { isNamed: true, limits: 'session' };
/** A pool of the application, or a pooler that gives each connection a server session: its settings are not ours. */
export const BORROWED: StatementStyle = { isNamed: true, limits: 'transaction' };
/** A pooler that gives each transaction any server session: nothing may live in one. */
export const SHARED: StatementStyle = { isNamed: false, limits: 'transaction' };
/** A database within the process, which has no timeouts. */
export const EMBEDDED: StatementStyle = { isNamed: true, limits: 'none' };

/** The timeouts of a statement on the server, in milliseconds. */
export interface StatementLimits {
  readonly statementMs: number;
  /** Shorter, so that the error names the lock. */
  readonly lockMs: number;
}

/** The share of a deadline that a statement, and a lock, may take on the server, so that the server's error arrives in time. */
const USUAL_SHARES = [0.9, 0.8] as const;

/** The timeouts of a statement with this much time left. */
export function limitsOf(leftMs: number, [statement, lock]: readonly [number, number] = USUAL_SHARES): StatementLimits {
  const [statementMs, lockMs] = [statement, lock].map((share) => Math.max(1, Math.ceil(leftMs * share)));
  return { statementMs: statementMs!, lockMs: lockMs! };
}
