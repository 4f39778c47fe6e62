import '../../model/module-format.js';
export type { PostgresPool } from './connection/postgres-pool.js';
export { type PgliteDatabase, pglitePool } from './connection/pglite-pool.js';
export { PostgresSessionStorage } from './postgres-session-storage.js';
export type { PostgresConnectionOptions } from './postgres-connection.options.js';
export type { PostgresSessionStorageOptions } from './postgres-session-storage.options.js';
export { type PostgresMigrationSqlOptions, postgresMigrationSql } from './schema/migration-sql.js';
