/**
 * The oldest release that works on the schema, for each migration; and for each function, the last schema whose release has
 * it. From here on, releases that differ share a store: a later one keeps the functions that the oldest still calls.
 */
export const compatibilityMigration = {
  version: 6,
  name: 'compatibility',
  oldest: { schema: 6, release: '0.1.0' },
  statements: [
    'ALTER TABLE {session_migration} ADD COLUMN oldest_schema integer, ADD COLUMN oldest_release text',
    'ALTER TABLE {session_function} ADD COLUMN schema_version integer NOT NULL DEFAULT 0',
  ],
};
