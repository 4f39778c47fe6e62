import { PostgresStatement } from './postgres-statement.js';

/**
 * Asks whether the server takes writes of this user.
 *
 * Params: none.
 * Returns: whether it is a standby, whether its transactions are read-only, whether the user may write to the tables.
 */
export const checkHealthStatement = new PostgresStatement({
  name: 'check-health',
  isReadOnly: true,
  params: [],
  text: (names) => `
SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', ${names.of('may_write')}()
`,
});
