import type { Logger } from '@nestjs/common';

/** What is known about a product that speaks PostgreSQL's protocol. */
interface KnownProduct {
  readonly name: string;
  /** Matches its reply to `version()`. */
  readonly pattern: RegExp;
  /** `works` as PostgreSQL does; `untested`: the checks at start decide; `refused`: what it `lacks`, no check finds out. */
  readonly verdict: 'works' | 'untested' | 'refused';
  /** What the storage needs and its documentation excludes, at least in some versions. */
  readonly lacks?: string;
}

/** From the products' public documentation. Aurora, AlloyDB, Neon, Supabase, Citus and others reply as PostgreSQL does. */
const PRODUCTS: readonly KnownProduct[] = [
  { name: 'PGlite', pattern: /emcc|emscripten/i, verdict: 'works' },
  { name: 'EDB Postgres Advanced Server', pattern: /EnterpriseDB/, verdict: 'untested' },
  { name: 'Percona Distribution for PostgreSQL', pattern: /Percona/, verdict: 'untested' },
  { name: 'CockroachDB', pattern: /^CockroachDB/, verdict: 'untested', lacks: 'LISTEN, and parts of PL/pgSQL' },
  { name: 'YugabyteDB', pattern: /-YB-/, verdict: 'untested', lacks: 'LISTEN (before 2025.2.3) and LOCK TABLE' },
  { name: 'Aurora DSQL', pattern: /DSQL/, verdict: 'untested', lacks: 'PL/pgSQL, sequences and foreign keys' },
  { name: 'Spanner', pattern: /Spanner/i, verdict: 'untested', lacks: 'PL/pgSQL and LISTEN' },
  { name: 'Greenplum', pattern: /Greenplum/, verdict: 'untested', lacks: 'row locks without table locks' },
  { name: 'openGauss', pattern: /openGauss|GaussDB/i, verdict: 'untested', lacks: 'LISTEN' },
  // Constraints and locks are accepted and not enforced, or reads are stale by design.
  {
    name: 'Redshift',
    pattern: /Redshift/,
    verdict: 'refused',
    lacks: 'row locks, primary keys that are enforced, and LISTEN',
  },
  { name: 'Materialize', pattern: /Materialize/i, verdict: 'refused', lacks: 'functions, row locks and LISTEN' },
  { name: 'RisingWave', pattern: /RisingWave/i, verdict: 'refused', lacks: 'transactions, row locks and LISTEN' },
  { name: 'CrateDB', pattern: /CrateDB/, verdict: 'refused', lacks: 'transactions' },
  { name: 'QuestDB', pattern: /QuestDB/, verdict: 'refused', lacks: 'functions, row locks and LISTEN' },
];

/** PostgreSQL itself, however it was packaged. */
const POSTGRESQL = /^PostgreSQL \d+(?:\.\d+)*(?:(?:devel|beta|rc)\d*)?(?:,| on | \(|$)/;

/** A product other than PostgreSQL, and what is known about it. */
export interface FoundProduct {
  readonly name: string;
  readonly verdict: 'works' | 'untested' | 'refused' | 'unknown';
  readonly lacks?: string;
}

/** The product that a reply to `version()` names; `undefined` for PostgreSQL itself. */
export function productOf(version: string): FoundProduct | undefined {
  const known = PRODUCTS.find(({ pattern }) => pattern.test(version));
  if (known) return known;
  if (POSTGRESQL.test(version)) return undefined;
  const [name = ''] = /^[\w .+-]{0,60}/.exec(version) ?? [];
  return { name: name.trim() === '' ? 'a product without a name' : name.trim(), verdict: 'unknown' };
}

/** The sentence that refuses a product that is known not to work. */
export function refusalOfProduct({ name, verdict, lacks }: FoundProduct): string | undefined {
  return verdict === 'refused'
    ? `it is ${name}, which lacks ${lacks ?? 'what the storage needs'}: use PostgreSQL 14 or later`
    : undefined;
}

/** What a failed check adds about a product. */
export function productNote(product: FoundProduct | undefined): string {
  if (!product) return '';
  const { name, lacks } = product;
  return ` (it is ${name}, not PostgreSQL${lacks === undefined ? '' : `; ${lacks} may be missing`})`;
}

/** Logs, once at start, what is known about a product that is not PostgreSQL. */
export function reportProduct({ name, verdict, lacks }: FoundProduct, logger: Logger): void {
  const line = `The server is ${name}, not PostgreSQL`;
  if (verdict === 'works') logger.log(`${line}. It works as PostgreSQL does.`);
  else {
    const known = verdict === 'unknown' ? 'Nothing is known about it' : 'This library is not tested on it';
    const missing = lacks === undefined ? '' : `, and ${lacks} may be missing`;
    logger.warn(`${line}. ${known}${missing}. The checks at start decide whether it can be used.`);
  }
}
