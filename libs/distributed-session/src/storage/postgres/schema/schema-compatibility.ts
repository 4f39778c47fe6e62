import { FUNCTIONS } from '../functions/functions.js';
import { LATEST_VERSION } from './migrations/migrations.js';

/** A row of the ledger of migrations. Rows of early releases do not say which releases work on the schema. */
interface LedgerRow {
  readonly version: number;
  readonly oldest_schema?: number | null;
  readonly oldest_release?: string | null;
}

/** A function in the database, according to the ledger. */
export interface StoredFunction {
  readonly name: string;
  readonly signature: string;
  readonly digest: string;
  /** The last schema whose release has it. */
  readonly schema_version?: number;
}

/** The schema in a database, according to its ledgers. */
export interface SchemaState {
  /** The number of the last migration; 0 for none. */
  readonly version: number;
  /** The functions that are missing, differ from this release's, or must be dropped, by name. */
  readonly staleFunctions: readonly string[];
  /** Why this release cannot work on the schema of a later release; `undefined` if it can. */
  readonly error?: string;
}

/** Evaluates the rows of both ledgers. */
export function schemaState(
  migrations: readonly LedgerRow[],
  functions: readonly StoredFunction[],
  oldestSchema: number,
): SchemaState {
  const version = Math.max(0, ...migrations.map((row) => row.version));
  const error = newerSchemaError(version, migrations, functions);
  return { version, staleFunctions: staleFunctions(functions, oldestSchema), ...(error !== undefined && { error }) };
}

/** A later release has kept what this one needs, unless its ledger says otherwise, or a function is not as it was. */
function newerSchemaError(
  version: number,
  migrations: readonly LedgerRow[],
  functions: readonly StoredFunction[],
): string | undefined {
  const later = migrations.filter((row) => row.version > LATEST_VERSION);
  if (later.length === 0) return undefined;
  const has = `its schema has version ${version}, of a later release`;
  const strictest = later.toSorted((a, b) => oldestOf(b) - oldestOf(a))[0]!;
  if (oldestOf(strictest) > LATEST_VERSION) {
    const release = strictest.oldest_release ? `${strictest.oldest_release} or later` : 'that release';
    return `${has}, and this one has version ${LATEST_VERSION}: install ${release}, or restore a backup from before the upgrade`;
  }
  const missing = FUNCTIONS.filter(
    ({ sqlName, signature }) => !functions.some((stored) => stored.name === sqlName && stored.signature === signature),
  );
  if (missing.length === 0) return undefined;
  return `${has}, without the function ${missing[0]!.sqlName} of this one: install that release, or report this as a defect`;
}

function oldestOf({ version, oldest_schema: oldest }: LedgerRow): number {
  return oldest ?? version;
}

function staleFunctions(stored: readonly StoredFunction[], oldestSchema: number): string[] {
  const digests = new Map(stored.map(({ name, digest }) => [name, digest]));
  const changed = FUNCTIONS.filter(({ sqlName, digest }) => digests.get(sqlName) !== digest);
  const known = new Set(FUNCTIONS.map(({ sqlName }) => sqlName));
  const gone = stored.filter(({ name, schema_version: last = 0 }) => !known.has(name) && last < oldestSchema);
  return [...changed.map(({ sqlName }) => sqlName), ...gone.map(({ name }) => name)].toSorted();
}
