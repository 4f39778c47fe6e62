import { createHash } from 'node:crypto';
import { serviceColumns } from '../records/stored-service.js';
import { sessionColumns } from '../records/stored-session.js';
import { type ColumnType, PostgresStatement, type Returns } from './postgres-statement.js';

interface FunctionDefinition<Param extends string, R extends Returns> {
  /** The name of the call. The SQL function has the same name with underscores. */
  readonly name: string;
  readonly isReadOnly?: boolean;
  /** Whether only other functions call it, so that it runs under their search path. Default false. */
  readonly isPart?: boolean;
  /** The parameters in order, by name, with their SQL types. In the body, `loginId` is `p_login_id`. */
  readonly params: Readonly<Record<Param, string>>;
  /** The type of the result, or the columns of its rows. In the body, `isHeld` is `is_held`. */
  readonly returns: R;
  /** Default `plpgsql`. */
  readonly language?: 'plpgsql' | 'sql';
  /** Default `VOLATILE`. */
  readonly volatility?: 'VOLATILE' | 'STABLE' | 'IMMUTABLE';
  /** A block of PL/pgSQL, or an expression of SQL. `{name}` stands for an object of the schema: see `SchemaNames.sql()`. */
  readonly body: string;
}

/**
 * The names in a function's body mean those of PostgreSQL, never functions, operators or types that another role has
 * created in a schema of the caller's search path (CVE-2018-1058). Temporary tables come last. A part of other functions
 * runs under their path: to set it again takes time on every call. The expression of an SQL function needs no path, and
 * can be inlined: PostgreSQL resolves its names when it is created, by the migration's path.
 */
const SAFE_PATH = ' SET search_path = pg_catalog, pg_temp';
/** Types whose names are not reserved words, so that another schema may have a type of that name. */
const NAMED_TYPE = /^(?:text|uuid|bytea|json)\b/;

/**
 * An SQL function, and the statement that calls it. Its parameters and columns are written once: the signature, the call,
 * the order of the values and the reading of a row all follow from them. Functions are repeatable migrations: when the
 * digest of one differs from the digest in the database, it is created again.
 */
export class PostgresFunction<Param extends string = string, R extends Returns = Returns> extends PostgresStatement<
  Param,
  R
> {
  readonly sqlName: string;
  /** Parameters and result, for the ledger. A function whose signature has changed is dropped: it cannot be replaced. */
  readonly signature: string;
  /** `CREATE OR REPLACE FUNCTION …`, before the names of the schema are filled in. */
  readonly definition: string;
  readonly digest: string;

  constructor(definition: FunctionDefinition<Param, R>) {
    const {
      name,
      isReadOnly = false,
      isPart = false,
      params,
      returns,
      language = 'plpgsql',
      volatility = 'VOLATILE',
      body,
    } = definition;
    const sqlName = snakeCase(name);
    const paramNames = Object.keys(params) as Param[];
    super({ name, isReadOnly, params: paramNames, returns, text: callOf(sqlName, params, returns) });
    this.sqlName = sqlName;
    const list = paramNames.map((param) => `p_${snakeCase(param)} ${params[param]}`);
    const signature = `(${list.join(', ')}) RETURNS ${resultOf(returns)}`;
    this.signature = signature.replaceAll(/[{}]/g, '');
    const head = `CREATE OR REPLACE FUNCTION {${sqlName}}${signature} LANGUAGE ${language} ${volatility}`;
    const path = isPart ? '' : SAFE_PATH;
    this.definition = language === 'sql' ? `${head} RETURN ${body.trim()}` : `${head}${path} AS $$\n${body.trim()}\n$$`;
    this.digest = createHash('sha256').update(this.definition).digest('hex');
  }

  override get takesLocks(): boolean {
    return true;
  }
}

/** Each value has exactly the type of its parameter: otherwise, another role's function of this name may match better. */
function callOf(sqlName: string, params: Readonly<Record<string, string>>, returns: Returns): string {
  const values = Object.entries(params).map(
    ([param, type]) => `:${param}::${type.replace(NAMED_TYPE, 'pg_catalog.$&')}`,
  );
  const call = `{${sqlName}}(${values.join(', ')})`;
  if (typeof returns === 'string') return `SELECT ${call}`;
  const columns = Object.entries(returns).map(([name, type]) => selected(snakeCase(name), type));
  return `SELECT ${columns.join(', ')} FROM ${call} AS result`;
}

/** A column of the result; of a stored row, its columns one by one. */
function selected(column: string, type: ColumnType): string {
  if (type === '{session}') return sessionColumns(`(result.${column})`);
  if (type === '{current_service}') return serviceColumns(`(result.${column})`);
  return `result.${column}`;
}

function resultOf(returns: Returns): string {
  if (typeof returns === 'string') return returns;
  const columns = Object.entries(returns).map(([name, type]) => `${snakeCase(name)} ${type}`);
  return `TABLE (${columns.join(', ')})`;
}

/** `create-session` and `createSession` as `create_session`. */
function snakeCase(name: string): string {
  return name.replaceAll('-', '_').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
