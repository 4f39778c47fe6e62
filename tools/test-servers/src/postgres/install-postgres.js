import { readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { decideOnMissing, inspectInstaller, installPackage, installServer } from '../install-debian-package.js';
import { runCommand } from '../run-command.js';

const OLDEST_MAJOR = 14;
const POSTGRES = {
  needed: `PostgreSQL ${OLDEST_MAJOR} or later`,
  name: 'postgresql',
  formula: 'postgresql@17',
  port: 5432,
};
/** The programs that the tests run; all are in the first one's folder. */
const PROGRAMS = ['postgres', 'initdb', 'pg_basebackup'];
/** Where packages install the server's programs, outside the `PATH`. */
const FOLDERS_OF_MAJORS = [
  { parent: '/usr/lib/postgresql', name: /^\d+$/u },
  { parent: '/opt/homebrew/opt', name: /^postgresql@\d+$/u },
  { parent: '/usr/local/opt', name: /^postgresql@\d+$/u },
  { parent: '/home/linuxbrew/.linuxbrew/opt', name: /^postgresql@\d+$/u },
];
const CLUSTER_SETTINGS = '/etc/postgresql-common/createcluster.conf';

/**
 * A server that was found: the folder of its programs, and its version output.
 *
 * @typedef {{ folder: string, version: string }} FoundServer
 */

/** Resolves to the folder of the server's programs; installs them if they are missing and installable. */
export async function installPostgres() {
  const decision = decideOn(await inspectSystem());
  if (typeof decision === 'object') return decision.folder;
  await installServer(POSTGRES, installWithoutCluster);
  const found = decideOn({ ...(await inspectSystem()), hasApt: false });
  if (typeof found === 'string') throw new Error(`The tests need ${POSTGRES.needed}, which was not found.`);
  return found.folder;
}

/**
 * What to do on a system: use the newest server found, or install one. Throws an error that contains the command to run
 * if only the user can run it.
 *
 * @param {{ servers: FoundServer[], isRoot: boolean, hasApt: boolean }} system
 * @returns {FoundServer | 'install it'}
 */
export function decideOn({ servers, ...installer }) {
  if (servers.length === 0) return decideOnMissing(POSTGRES, installer);
  // The first of equal versions: the `PATH` comes first.
  const [newest] = servers.toSorted((a, b) => majorOf(b) - majorOf(a));
  if (newest && majorOf(newest) >= OLDEST_MAJOR) return newest;
  const found = servers.map(({ folder, version }) => `${version.trim()} in ${folder}`).join(', ');
  throw new Error(`The tests need ${POSTGRES.needed}. What was found: ${found}`);
}

/** @param {FoundServer} server */
function majorOf({ version }) {
  return Number(/\(PostgreSQL\) (\d+)/u.exec(version)?.[1] ?? 0);
}

async function inspectSystem() {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const packaged = await Promise.all(FOLDERS_OF_MAJORS.map(programsIn));
  const found = await Promise.all([...onPath, ...packaged.flat()].map(findServer));
  return { servers: found.filter((server) => server !== undefined), ...(await inspectInstaller()) };
}

/** @param {{ parent: string, name: RegExp }} place */
async function programsIn({ parent, name }) {
  const names = await readdir(parent).catch(() => []);
  return names.filter((each) => name.test(each)).map((each) => join(parent, each, 'bin'));
}

/**
 * @param {string} place
 * @returns {Promise<FoundServer | undefined>}
 */
async function findServer(place) {
  // A folder in the `PATH` may contain links to only some of the programs.
  const folder = dirname(await realpath(join(place, 'postgres')).catch(() => join(place, 'postgres')));
  const versions = await Promise.all(PROGRAMS.map((name) => runCommand(join(folder, name), ['--version'])));
  const [server] = versions;
  return server && versions.every(({ passed }) => passed) ? { folder, version: server.output } : undefined;
}

/** Without this, the package would create a cluster named `main` and start it with the system. */
async function installWithoutCluster() {
  await installPackage('postgresql-common');
  const settings = await readFile(CLUSTER_SETTINGS, 'utf8');
  await writeFile(CLUSTER_SETTINGS, `${settings}\ncreate_main_cluster = false\n`);
  try {
    await installPackage(POSTGRES.name);
  } finally {
    await writeFile(CLUSTER_SETTINGS, settings);
  }
}
