import { serviceColumns } from '../records/stored-service.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Finds a service by its id.
 *
 * Params: serviceId.
 * Returns: the service with the secrets that are good; no row if there is none.
 */
export const findServiceStatement = new PostgresStatement({
  name: 'find-service',
  isReadOnly: true,
  params: ['serviceId'],
  text: (names, $) => `
SELECT ${serviceColumns('service')} FROM ${names.currentService} AS service WHERE service.service_id = ${$.serviceId}
`,
});
