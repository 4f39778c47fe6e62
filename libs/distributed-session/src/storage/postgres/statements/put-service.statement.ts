import { serviceColumns } from '../records/stored-service.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Registers a service, or replaces it with all its secrets.
 *
 * Params: serviceId, name, permissions: JSON; keyId and hash (JSON) of the secret; replace, by; origin of the write.
 * Returns: outcome (`stored`, `exists`, `full`), the service.
 */
export const putServiceStatement = new PostgresStatement({
  name: 'put-service',
  params: ['serviceId', 'name', 'permissions', 'keyId', 'hash', 'replace', 'by', 'origin'],
  text: (names, $) => `
SELECT result.outcome, ${serviceColumns('(result.stored)')}
FROM ${names.of('put_service')}(
  ${$.serviceId}, ${$.name}, ${$.permissions}, ${$.keyId}, ${$.hash}, ${$.replace}, ${$.by}, ${$.origin}) AS result
`,
});
