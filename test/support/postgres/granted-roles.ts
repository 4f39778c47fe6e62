import { readFile } from 'node:fs/promises';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { withPostgres } from '@distributed-session/test-servers/postgres/postgres-connection.js';
import type { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';

/** The role of docs/postgres-grants/owner.sql. */
export const OWNER = 'ds_owner';
const PASSWORD = 'password-of-the-test';
/** The roles of the other files in docs/postgres-grants. */
const GRANTEES = {
  sessions: 'ds_sessions',
  registry: 'ds_registry',
  reader: 'ds_reader',
  monitor: 'ds_monitor',
} as const;

export type Grantee = keyof typeof GRANTEES;

/** One privilege on one object. */
export interface SingleGrant {
  readonly privilege: string;
  /** Such as `TABLE public.distributed_session`. */
  readonly on: string;
}

/** The URL of a role in the database `postgres`. */
export function urlOf(server: PostgresServer, role: Grantee | typeof OWNER): string {
  const url = new URL(server.url);
  url.username = role === OWNER ? OWNER : GRANTEES[role];
  url.password = PASSWORD;
  return url.href;
}

/**
 * Creates the roles and the tables in the database `postgres`, without default privileges, and runs the files in
 * docs/postgres-grants unchanged.
 */
export async function grantRoles(server: PostgresServer): Promise<void> {
  for (const role of [OWNER, ...Object.values(GRANTEES)]) {
    await server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
  }
  await server.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  await server.query(await readGrants('owner'));
  await server.query(`ALTER DEFAULT PRIVILEGES FOR ROLE ${OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`);
  const storage = new PostgresSessionStorage({ url: urlOf(server, OWNER) });
  await storage.connect();
  await storage.close();
  for (const grantee of Object.keys(GRANTEES) as Grantee[]) {
    const sql = await readGrants(grantee);
    await withPostgres(urlOf(server, OWNER), async (client) => client.query(sql));
  }
}

/** Every privilege that a file grants. */
export async function singleGrants(grantee: Grantee): Promise<SingleGrant[]> {
  const sql = (await readGrants(grantee)).replaceAll(/^--.*$/gmu, '');
  const statements = sql.split(';').map((statement) => statement.replaceAll(/\s+/gu, ' ').trim());
  return statements
    .filter((statement) => statement !== '')
    .flatMap((statement) => {
      const [, privileges, kind, objects] = /^GRANT (.+) ON (\w+) (.+) TO \w+$/u.exec(statement) ?? [];
      if (!privileges || !objects) throw new Error(`Not a grant: ${statement}`);
      return privileges
        .split(', ')
        .flatMap((privilege) => objects.split(', ').map((object) => ({ privilege, on: `${kind} ${object}` })));
    });
}

/** Does the work while the role lacks this privilege. */
export async function without<T>(
  server: PostgresServer,
  grantee: Grantee,
  { privilege, on }: SingleGrant,
  work: () => Promise<T>,
): Promise<T> {
  const role = GRANTEES[grantee];
  const asOwner = async (text: string) => withPostgres(urlOf(server, OWNER), async (client) => client.query(text));
  await asOwner(`REVOKE ${privilege} ON ${on} FROM ${role}`);
  try {
    return await work();
  } finally {
    await asOwner(`GRANT ${privilege} ON ${on} TO ${role}`);
  }
}

async function readGrants(grantee: Grantee | 'owner'): Promise<string> {
  return readFile(new URL(`../../../docs/postgres-grants/${grantee}.sql`, import.meta.url), 'utf8');
}
