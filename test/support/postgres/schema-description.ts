import type { Client } from 'pg';

/** The lines of a description, unordered. */
const LINES = `
  WITH relation AS (
    SELECT c.*, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c WHERE c.relnamespace = $1::regnamespace
  ), kind (letter, name) AS (
    VALUES ('r', 'table'), ('v', 'view'), ('S', 'sequence'), ('p', 'table'), ('m', 'view'), ('f', 'table')
  )
  SELECT kind.name || ' ' || relname || coalesce(' with ' || array_to_string(reloptions, ', '), '')
    || CASE WHEN relpersistence = 'p' THEN '' ELSE ' persistence ' || relpersistence::text END
    || coalesce(' comment ' || comment, '') AS line
  FROM relation JOIN kind ON letter = relkind::text
  UNION ALL
  SELECT 'column ' || relname || '.' || lpad(attnum::text, 2, '0') || ' ' || attname || ' '
    || format_type(atttypid, atttypmod)
    || CASE WHEN attcollation IN (0, t.typcollation) THEN '' ELSE ' collate ' || attcollation::regcollation END
    || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    || CASE attidentity WHEN '' THEN '' ELSE ' identity ' || attidentity::text END
    || CASE attgenerated WHEN '' THEN '' ELSE ' generated ' || attgenerated::text END
    || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
  FROM relation
    JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type t ON t.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relkind IN ('r', 'v', 'p', 'm', 'f')
  UNION ALL
  -- Since version 18, NOT NULL is a constraint as well; here it is part of its column.
  SELECT 'constraint ' || conname || ' of ' || relname || ' ' || regexp_replace(pg_get_constraintdef(k.oid), '\\s+', ' ', 'g')
  FROM relation JOIN pg_constraint k ON conrelid = relation.oid AND contype <> 'n'
  UNION ALL
  SELECT 'index ' || relname || ' ' || pg_get_indexdef(oid) FROM relation WHERE relkind IN ('i', 'I')
  UNION ALL
  SELECT 'sequence ' || relname || ' of ' || format_type(seqtypid, NULL) || ' from ' || seqstart || ' by ' || seqincrement
    || ' within ' || seqmin || '..' || seqmax || ' cache ' || seqcache || CASE WHEN seqcycle THEN ' cycle' ELSE '' END
  FROM relation JOIN pg_sequence ON seqrelid = relation.oid
  UNION ALL
  -- Versions differ in which names they qualify and where they break lines.
  SELECT 'definition ' || relname || ' '
    || regexp_replace(regexp_replace(pg_get_viewdef(oid), '\\m[a-z_]+\\.', '', 'g'), '\\s+', ' ', 'g')
  FROM relation WHERE relkind IN ('v', 'm')
  UNION ALL
  SELECT 'trigger ' || tgname || ' ' || pg_get_triggerdef(t.oid)
  FROM relation JOIN pg_trigger t ON tgrelid = relation.oid AND NOT tgisinternal
  UNION ALL
  SELECT 'function ' || proname || '(' || pg_get_function_arguments(p.oid) || ') returns ' || pg_get_function_result(p.oid)
    || ' ' || lanname || ' ' || provolatile::text || CASE WHEN prosecdef THEN ' security definer' ELSE '' END
    || coalesce(' set ' || array_to_string(proconfig, ', '), '') || ' md5 ' || md5(prosrc)
  FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace = $1::regnamespace`;

/**
 * Describes a schema without the contents of its tables: one line for each table, column, constraint, index, sequence,
 * view, trigger and function. Empty for a schema that is empty or does not exist.
 */
export async function describeSchema(client: Client, schema = 'public'): Promise<string> {
  const { rows: found } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
  if (found.length === 0) return '';
  await client.query('BEGIN READ ONLY');
  try {
    // Names of this schema are printed without it, whatever the user's settings.
    await client.query("SELECT set_config('search_path', quote_ident($1), true)", [schema]);
    const { rows } = await client.query<{ line: string }>(
      `SELECT line FROM (${LINES}) AS every ORDER BY line COLLATE "C"`,
      [`"${schema.replaceAll('"', '""')}"`],
    );
    return rows.map(({ line }) => `${line}\n`).join('');
  } finally {
    await client.query('COMMIT');
  }
}
