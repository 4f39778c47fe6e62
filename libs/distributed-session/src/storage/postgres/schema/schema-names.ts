import { createHash } from 'node:crypto';

/**
 * The names of the storage's objects in a database, quoted for SQL. Names that users choose (the schema, the table
 * prefix) reach statements only through this class.
 */
export class SchemaNames {
  /** The schema, quoted. */
  readonly schema: string;
  /** The channel of the change feed: one for each pair of schema and prefix. */
  readonly channel: string;

  constructor(
    schema: string,
    private readonly tablePrefix: string,
  ) {
    this.schema = quoted(schema);
    const digest = createHash('sha256').update(`${schema}\0${tablePrefix}`).digest();
    this.channel = `distributed_session_${digest.toString('hex', 0, 8)}`;
  }

  /** The qualified name of a table, view, sequence or function, by its name after the prefix. */
  of(name: string): string {
    return `${this.schema}.${this.local(name)}`;
  }

  /** The same without the schema, as `CREATE INDEX` and `CONSTRAINT` require it. */
  local(name: string): string {
    return quoted(`${this.tablePrefix}${name}`);
  }

  /**
   * Fills the names into SQL: `{session}` is a qualified name, `{index:…}` and `{constraint:…}` are names without the
   * schema, `{schema}`, `{prefix}` and `{channel}` are values. Between single quotes, each becomes a string. `{=}` is PostgreSQL's own operator, whatever operators other schemas have.
   */
  sql(template: string): string {
    // In one pass: a schema may have any name, also one in braces.
    const placeholder = /'\{(\w+)\}'|\{(?:index|constraint):(\w+)\}|\{(\w+)\}/g;
    const operators = template.replaceAll(/\{([<>=]+)\}/g, 'OPERATOR(pg_catalog.$1)');
    return operators.replaceAll(placeholder, (_match, string?: string, local?: string, name?: string) => {
      if (string !== undefined) return literal(this.#resolve(string));
      return local === undefined ? this.#resolve(name!) : this.local(local);
    });
  }

  #resolve(name: string): string {
    if (name === 'schema') return this.schema;
    if (name === 'prefix') return this.tablePrefix;
    if (name === 'channel') return this.channel;
    return this.of(name);
  }
}

/** An identifier with any characters, quoted for SQL. */
function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** A string literal of SQL: the same text, whether `standard_conforming_strings` is on or off. */
export function literal(text: string): string {
  const quotes = text.replaceAll("'", "''");
  return quotes.includes('\\') ? `E'${quotes.replaceAll('\\', '\\\\')}'` : `'${quotes}'`;
}
