import { createHash } from 'node:crypto';
import { type Row, RowReader } from '../records/row-reader.js';
import type { SchemaNames } from '../schema/schema-names.js';

export type StatementValue = string | number | boolean | Uint8Array | readonly string[] | null;

/** The types of result columns, and what a column is read as: a stored row as a reader at its first column. */
interface ColumnValues {
  readonly text: string;
  readonly uuid: string;
  readonly smallint: number;
  readonly integer: number;
  readonly bigint: number;
  readonly boolean: boolean;
  readonly '{session}': RowReader;
  readonly '{current_service}': RowReader;
  /** Only from one function to another: no statement reads a list. */
  readonly 'uuid[]': RowReader;
  readonly void: undefined;
}
export type ColumnType = keyof ColumnValues;

/** The columns of a result by name, a stored row last; or the type of the only column. */
export type Returns = ColumnType | Readonly<Record<string, ColumnType>>;

export type ResultOf<R extends Returns> = R extends ColumnType
  ? ColumnValues[R]
  : { readonly [Column in keyof R]: R[Column] extends ColumnType ? ColumnValues[R[Column]] : never };

export interface StatementDefinition<Param extends string, R extends Returns> {
  readonly name: string;
  /** Whether the statement changes nothing, so that a lost reply leaves no outcome unknown. Default `false`. */
  readonly isReadOnly?: boolean;
  /** The names of the parameters: fields of a call, and `:name` in the text. */
  readonly params: readonly Param[];
  readonly returns: R;
  /** SQL in which `{name}` stands for an object of the schema: see `SchemaNames.sql()`. */
  readonly text: string;
}

/** A statement that a connection prepares once under its name. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** A statement with named parameters and a typed result. Each is one atomic step and one round trip. */
export class PostgresStatement<Param extends string = string, R extends Returns = Returns> {
  readonly name: string;
  readonly isReadOnly: boolean;
  readonly #params: readonly Param[];
  readonly #returns: R;
  readonly #text: string;

  constructor({ name, isReadOnly = false, params, returns, text }: StatementDefinition<Param, R>) {
    this.name = name;
    this.isReadOnly = isReadOnly;
    this.#params = params;
    this.#returns = returns;
    // A second colon before it makes it a cast.
    this.#text = text.trim().replaceAll(/(?<!:):([a-z]\w*)/gi, (_placeholder, param: Param) => this.#place(param));
  }

  /** Whether it may wait for locks, or change something. A plain read does neither. */
  get takesLocks(): boolean {
    return !this.isReadOnly;
  }

  /** The statement for these tables. The digest in its name changes with the tables and with the release. */
  prepare(names: SchemaNames): PreparedStatement {
    const text = names.sql(this.#text);
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 8);
    return { name: `distributed-session:${this.name}:${digest}`, text };
  }

  /** The values of a call in the order of the parameters. */
  pack(values: Readonly<Record<Param, StatementValue>>): StatementValue[] {
    return this.#params.map((param) => values[param]);
  }

  /**
   * Reads a row of the result.
   *
   * @throws {UnreadableRowError} when a column does not have its type.
   */
  parse(row: Row): ResultOf<R> {
    const reader = new RowReader(row);
    const returns: Returns = this.#returns;
    const result =
      typeof returns === 'string'
        ? readColumn(reader, returns)
        : Object.fromEntries(Object.entries(returns).map(([name, type]) => [name, readColumn(reader, type)]));
    return result as ResultOf<R>;
  }

  #place(param: Param): string {
    const index = this.#params.indexOf(param);
    if (index === -1) throw new TypeError(`The statement ${this.name} has no parameter "${param}".`);
    return `$${index + 1}`;
  }
}

function readColumn(reader: RowReader, type: ColumnType): ColumnValues[ColumnType] {
  switch (type) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return reader.whole();
    case 'boolean':
      return reader.boolean();
    case 'text':
    case 'uuid':
      return reader.text();
    case 'void':
      return undefined;
    default:
      return reader;
  }
}
