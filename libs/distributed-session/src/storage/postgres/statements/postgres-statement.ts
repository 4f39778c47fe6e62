import { createHash } from 'node:crypto';
import type { SchemaNames } from '../schema/schema-names.js';

export type StatementValue = string | number | boolean | Uint8Array | readonly string[] | null;

interface StatementDefinition<Param extends string> {
  readonly name: string;
  /** Whether it can be repeated without harm, and the outcome of a lost reply does not matter. */
  readonly isReadOnly?: boolean;
  /** The names of the parameters, in their order: fields of a call, and `$.<name>` in the text. */
  readonly params: readonly Param[];
  readonly text: (names: SchemaNames, $: Readonly<Record<Param, string>>) => string;
}

/** What a connection prepares once, under this name, and then runs by its name. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** A statement with named parameters, so that no two can be swapped. Each is one step, and one round trip. */
export class PostgresStatement<Param extends string = string> {
  readonly isReadOnly: boolean;

  constructor(private readonly definition: StatementDefinition<Param>) {
    this.isReadOnly = definition.isReadOnly ?? false;
  }

  get name(): string {
    return this.definition.name;
  }

  /** The statement for these tables. Its name tells the text apart from that of other tables, and of other releases. */
  prepare(names: SchemaNames): PreparedStatement {
    const { name, params, text } = this.definition;
    const places = Object.fromEntries(params.map((param, index) => [param, `$${index + 1}`]));
    const sql = text(names, places as Record<Param, string>);
    const digest = createHash('sha256').update(sql).digest('hex').slice(0, 8);
    return { name: `distributed-session:${name}:${digest}`, text: sql };
  }

  pack(values: Readonly<Record<Param, StatementValue>>): StatementValue[] {
    return this.definition.params.map((param) => values[param]);
  }
}
