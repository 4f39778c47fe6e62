import { sessionsMigration } from './0001-sessions.migration.js';
import { servicesMigration } from './0002-services.migration.js';
import { tokenDigestsMigration } from './0003-token-digests.migration.js';
import { changeFeedMigration } from './0004-change-feed.migration.js';
import { lockRowsMigration } from './0005-lock-rows.migration.js';
import { compatibilityMigration } from './0006-compatibility.migration.js';

/**
 * A numbered step of the schema: tables, indexes and views. A released migration never changes; a later change is a new
 * migration. Each must leave the schema usable by processes of the previous release, which run on during the rollout, or say
 * in `oldest` that it does not.
 *
 * Functions are repeatable migrations instead (see `PostgresFunction`). A release that changes only functions still adds
 * a migration, without statements: by its number, processes of earlier releases recognise the schema as newer. A released
 * function keeps its parameters and its result; one with others has another name. The earlier one stays in `FUNCTIONS` as
 * long as the release of `oldest` calls it.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /**
   * The oldest schema whose release works on the schema from this migration on, and that release. Earlier processes refuse
   * to start, and those that run stop working within a heartbeat. Never lower than that of the migration before.
   */
  readonly oldest: OldestRelease;
  /** SQL in which `{name}` stands for an object of the schema: see `SchemaNames.sql()`. */
  readonly statements: readonly string[];
}

/** A release, by the number of the last migration that it has. */
export interface OldestRelease {
  readonly schema: number;
  /** Its version on npm. */
  readonly release: string;
}

/** All migrations in order, numbered from 1. */
export const MIGRATIONS: readonly Migration[] = [
  sessionsMigration,
  servicesMigration,
  tokenDigestsMigration,
  changeFeedMigration,
  lockRowsMigration,
  compatibilityMigration,
];

/** The number of the last migration: the schema that this release requires. */
export const LATEST_VERSION = MIGRATIONS.length;
/** The oldest release that works on the schema of this one. */
export const OLDEST: OldestRelease = MIGRATIONS.at(-1)!.oldest;
