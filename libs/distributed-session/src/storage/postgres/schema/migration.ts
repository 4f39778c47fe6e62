import type { SchemaNames } from './schema-names.js';

/**
 * One step of the schema. A migration that was released never changes: what comes later is another one, with the next
 * number. Each must leave the schema usable by processes of the release before, which go on while it is rolled out.
 */
export interface Migration {
  /** 1 for the first, one more for each. */
  readonly version: number;
  readonly name: string;
  /** The statements, each in a string of its own, in their order. */
  readonly statements: (names: SchemaNames) => readonly string[];
}
