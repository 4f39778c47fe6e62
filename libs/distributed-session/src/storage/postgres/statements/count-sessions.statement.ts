import { PostgresStatement } from './postgres-statement.js';

/**
 * Sums up the counts that the writing steps keep.
 *
 * Params: none.
 * Returns: live sessions, logins that have some.
 */
export const countSessionsStatement = new PostgresStatement({
  name: 'count-sessions',
  isReadOnly: true,
  params: [],
  text: (names) => `
SELECT coalesce(sum(sessions), 0), coalesce(sum(logins), 0) FROM ${names.sessionCount}
`,
});
