import { serviceColumns } from '../records/stored-service.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Lists all services: a thousand at the most.
 *
 * Params: none.
 * Returns: the service with the secrets that are good, one row for each.
 */
export const listServicesStatement = new PostgresStatement({
  name: 'list-services',
  isReadOnly: true,
  params: [],
  text: (names) => `
SELECT ${serviceColumns('service')} FROM ${names.currentService} AS service
`,
});
