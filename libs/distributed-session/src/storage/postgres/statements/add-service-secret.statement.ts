import { serviceColumns } from '../records/stored-service.js';
import { PostgresStatement } from './postgres-statement.js';

/**
 * Adds a secret to a service that is at the expected version, and sets the end of the earlier ones.
 *
 * Params: serviceId, expectedVersion; keyId and hash (JSON) of the secret; overlapMs, by; origin of the write.
 * Returns: outcome (`stored`, `too-many-secrets`, `conflict`, `missing`), the service.
 */
export const addServiceSecretStatement = new PostgresStatement({
  name: 'add-service-secret',
  params: ['serviceId', 'expectedVersion', 'keyId', 'hash', 'overlapMs', 'by', 'origin'],
  text: (names, $) => `
SELECT result.outcome, ${serviceColumns('(result.stored)')}
FROM ${names.of('add_service_secret')}(
  ${$.serviceId}, ${$.expectedVersion}, ${$.keyId}, ${$.hash}, ${$.overlapMs}, ${$.by}, ${$.origin}) AS result
`,
});
