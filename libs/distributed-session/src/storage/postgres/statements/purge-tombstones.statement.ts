import { PostgresStatement } from './postgres-statement.js';

/**
 * Drops tombstones that are past their retention.
 *
 * Params: limit.
 * Returns: how many were dropped.
 */
export const purgeTombstonesStatement = new PostgresStatement({
  name: 'purge-tombstones',
  params: ['limit'],
  text: (names, $) => `
SELECT ${names.of('purge_tombstones')}(${$.limit})
`,
});
