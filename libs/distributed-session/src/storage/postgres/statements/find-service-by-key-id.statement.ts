import { serviceColumns } from '../records/stored-service.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Finds the service that has a secret of this key id, good or ended.
 *
 * Params: keyId.
 * Returns: the service with the secrets that are good; no row if there is none.
 */
export const findServiceByKeyIdStatement = new PostgresStatement({
  name: 'find-service-by-key-id',
  isReadOnly: true,
  params: ['keyId'],
  text: (names, $) => `
SELECT ${serviceColumns('service')} FROM ${names.currentService} AS service
WHERE service.service_id = (SELECT secret.service_id FROM ${names.serviceSecret} AS secret WHERE secret.key_id = ${$.keyId})
`,
});
