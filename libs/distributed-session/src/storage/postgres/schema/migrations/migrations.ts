import { sessionsMigration } from './0001-sessions.migration.js';
import { servicesMigration } from './0002-services.migration.js';
import { tokenDigestsMigration } from './0003-token-digests.migration.js';
import { changeFeedMigration } from './0004-change-feed.migration.js';
import { lockRowsMigration } from './0005-lock-rows.migration.js';

/**
 * A numbered step of the schema: tables, indexes and views. A released migration never changes; a later change is a new
 * migration. Each must leave the schema usable by processes of the previous release, which run on during the rollout.
 *
 * Functions are repeatable migrations instead (see `PostgresFunction`). A release that changes only functions still adds
 * a migration, without statements: by its number, processes of earlier releases recognise the schema as newer.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** SQL in which `{name}` stands for an object of the schema: see `SchemaNames.sql()`. */
  readonly statements: readonly string[];
}

/** All migrations in order, numbered from 1. */
export const MIGRATIONS: readonly Migration[] = [
  sessionsMigration,
  servicesMigration,
  tokenDigestsMigration,
  changeFeedMigration,
  lockRowsMigration,
];
