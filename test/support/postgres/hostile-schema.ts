import type { Client } from 'pg';
import { FUNCTIONS } from '../../../libs/distributed-session/src/storage/postgres/functions/functions.js';
import { MIGRATIONS } from '../../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { migrationStatements } from '../../../libs/distributed-session/src/storage/postgres/schema/migration-sql.js';
import { SchemaNames } from '../../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import * as statements from '../../../libs/distributed-session/src/storage/postgres/statements.js';
import type { PostgresStatement } from '../../../libs/distributed-session/src/storage/postgres/functions/postgres-statement.js';

const names = new SchemaNames('public', 'distributed_');
/** The text of an error that a trap raises. */
export const TRAPPED = 'trapped';
const OPERATORS = ['=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '&', '||'];

/** The words of all SQL of the storage: those that are names of PostgreSQL's functions and types become traps. */
function words(): string[] {
  const texts = [
    ...MIGRATIONS.flatMap((migration) => migration.statements),
    ...migrationStatements(names, 0),
    ...FUNCTIONS.map((each) => each.prepare(names).text),
    ...Object.values(statements as Record<string, PostgresStatement>).map((each) => each.prepare(names).text),
    // The statements of a start.
    'to_regclass has_table_privilege has_schema_privilege current_setting set_config count max',
  ];
  return [...new Set(texts.flatMap((text) => text.match(/[a-z_][a-z0-9_]+/gu) ?? []))];
}

/** Each function of PostgreSQL that the storage names, again, with the same parameters: in `public`, and as a trap. */
const TRAP_FUNCTIONS = `
SELECT DISTINCT format(
  'CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $trap$ BEGIN RAISE EXCEPTION ''${TRAPPED} by %s''; END $trap$',
  proname, (SELECT string_agg(format_type(type, NULL), ', ' ORDER BY place) FROM unnest(proargtypes) WITH ORDINALITY AS p (type, place)),
  CASE WHEN proretset THEN 'SETOF ' ELSE '' END || format_type(prorettype, NULL), proname) AS trap
FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ($1) AND provariadic = 0
  AND NOT EXISTS (SELECT FROM pg_type WHERE oid = ANY (proargtypes::oid[] || prorettype) AND typtype = 'p'
    AND typname NOT IN ('anyelement', 'anyarray', 'record', 'void'))
  AND NOT (prorettype IN (SELECT oid FROM pg_type WHERE typname IN ('anyelement', 'anyarray'))
    AND NOT EXISTS (SELECT FROM pg_type WHERE oid = ANY (proargtypes::oid[]) AND typname IN ('anyelement', 'anyarray')))
  AND NOT EXISTS (SELECT FROM pg_type WHERE oid = ANY (proargtypes::oid[]) AND typname = 'record')`;

const TRAP_OPERATORS = `
SELECT format('CREATE OPERATOR public.%s (%s RIGHTARG = %s, FUNCTION = public.%I)', oprname,
    CASE WHEN oprleft = 0 THEN '' ELSE format('LEFTARG = %s,', format_type(oprleft, NULL)) END,
    format_type(oprright, NULL), 'trap_' || oid) AS operator,
  format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $trap$ BEGIN RAISE EXCEPTION ''${TRAPPED} by operator %s''; END $trap$',
    'trap_' || oid, concat_ws(', ', CASE WHEN oprleft <> 0 THEN format_type(oprleft, NULL) END, format_type(oprright, NULL)),
    format_type(oprresult, NULL), oprname) AS function
FROM pg_operator
WHERE oprname = ANY ($1) AND oprnamespace = 'pg_catalog'::regnamespace AND oprresult <> 0 AND oprright <> 0
  AND ARRAY[oprleft, oprright] <@ ARRAY[0, 16, 17, 20, 21, 23, 25, 26, 701, 1184, 1700, 2950, 19]::oid[]`;

/** Creates the traps, as a role that may create in `public`. Returns how many there are. */
export async function setTraps(client: Client): Promise<number> {
  const functions = await client.query<{ trap: string }>(TRAP_FUNCTIONS, [words()]);
  const operators = await client.query<{ operator: string; function: string }>(TRAP_OPERATORS, [OPERATORS]);
  const traps = [
    ...functions.rows.map(({ trap }) => trap),
    ...operators.rows.flatMap((row) => [row.function, row.operator]),
    // Functions with the storage's names, and with parameters that match values without a type better. Not those that make
    // calls or the migration fail instead: with the very parameters of ours, or with only default values.
    ...FUNCTIONS.filter(({ signature }) => !/^\((p_\w+ text(, )?)*\)/u.test(signature)).map(
      ({ sqlName, signature }) => {
        const types = signature
          .slice(0, signature.indexOf(')'))
          .split(', ')
          .map(() => 'text');
        return `CREATE FUNCTION ${names.of(sqlName)}(${types.join(', ')}) RETURNS text LANGUAGE plpgsql AS
        $trap$ BEGIN RAISE EXCEPTION '${TRAPPED} by ${sqlName}'; END $trap$`;
      },
    ),
    ...['text', 'uuid', 'bytea', 'json', 'oid', 'name', 'timestamptz'].map(
      (type) => `CREATE DOMAIN public.${type} AS pg_catalog.int4 CHECK (VALUE = 0)`,
    ),
  ];
  let count = 0;
  for (const trap of traps) {
    // PostgreSQL refuses a few of them.
    count += await client.query(trap).then(
      () => 1,
      () => 0,
    );
  }
  return count;
}
