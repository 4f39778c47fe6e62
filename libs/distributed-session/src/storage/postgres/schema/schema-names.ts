import { createHash } from 'node:crypto';

/** Names one thing of the schema, after the prefix: a table, a view, a sequence, a function, an index. */
type LocalName = string;

/**
 * The names of everything that the storage has in a database, quoted, so that they may be used in SQL as they are.
 * Nothing that came from outside reaches a statement but through here.
 */
export class SchemaNames {
  /** The schema, quoted. */
  readonly schema: string;
  readonly session: string;
  readonly sessionCount: string;
  readonly sessionChange: string;
  readonly service: string;
  readonly serviceSecret: string;
  readonly currentService: string;
  readonly migration: string;
  /** The channel of the change feed: the same for all who share the tables, and for nobody else of the database. */
  readonly channel: string;
  /** Sets the advisory locks of these tables apart from those of others in the database: a 63-bit number. */
  readonly lockSeed: bigint;
  /** The advisory lock of whoever announces changes. */
  readonly feedLock: bigint;

  constructor(
    schema: string,
    private readonly tablePrefix: string,
  ) {
    this.schema = quoted(schema);
    this.session = this.of('session');
    this.sessionCount = this.of('session_count');
    this.sessionChange = this.of('session_change');
    this.service = this.of('service');
    this.serviceSecret = this.of('service_secret');
    this.currentService = this.of('current_service');
    this.migration = this.of('session_migration');
    const digest = createHash('sha256').update(`${schema}\0${tablePrefix}`).digest();
    this.channel = `distributed_session_${digest.toString('hex', 0, 8)}`;
    this.lockSeed = digest.readBigInt64BE(8) >> 1n;
    this.feedLock = this.lockSeed ^ 1n;
  }

  /** The qualified name of a thing of this schema. */
  of(name: LocalName): string {
    return `${this.schema}.${this.local(name)}`;
  }

  /** Its name without the schema, as `CREATE INDEX` wants it. */
  local(name: LocalName): string {
    return quoted(`${this.tablePrefix}${name}`);
  }
}

/** An identifier as SQL takes it, whatever characters are in it. */
function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** A text as SQL takes it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
