import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '../run-command.js';

/** Of the superuser `postgres` of every cluster of the tests. */
export const PASSWORD = 'of-the-tests';

/** Which tell the workers of Jest. */
const FOLDER = 'TESTS_POSTGRES_TEMPLATE';
const PROGRAMS = 'TESTS_POSTGRES_PROGRAMS';
/** What the watcher runs: the end of its input is the death of this process. */
const WATCHER = 'read -r _; rm -rf "$1"';
const INITDB = ['--no-sync', '--encoding=UTF8', '--no-locale', '--username=postgres', '--auth=scram-sha-256'];

/** Makes the cluster of which every server of this run starts from a copy; it goes with this process. */
export async function makeTemplate(/** @type {string} */ programs) {
  // When Jest watches, it sets up anew before each run.
  if (existsSync(process.env[FOLDER] ?? '')) return;
  const folder = await mkdtemp(join(tmpdir(), 'postgres-template-'));
  removeAtEnd(folder);
  await writeFile(join(folder, 'password'), PASSWORD);
  const user = await unprivilegedUser();
  if (user) await chown(folder, user.uid, user.gid);
  const args = [...INITDB, '--pwfile=password', '--pgdata=data'];
  await promisify(execFile)(join(programs, 'initdb'), args, { cwd: folder, ...user });
  process.env[FOLDER] = folder;
  process.env[PROGRAMS] = programs;
}

/** Where this run has its template, and the programs of the server. */
export function findTemplate() {
  const { [FOLDER]: folder, [PROGRAMS]: programs } = process.env;
  if (!folder || !programs) throw new Error('There is no template cluster: `globalSetup` of Jest makes it.');
  return { data: join(folder, 'data'), programs };
}

/** Whom to run the server as; nobody else than who runs the tests, unless that is root, which PostgreSQL refuses. */
async function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const name = (await runCommand('id', ['postgres'])).passed ? 'postgres' : 'nobody';
  const [uid, gid] = await Promise.all(['-u', '-g'].map((option) => runCommand('id', [option, name])));
  return { uid: Number(uid?.output), gid: Number(gid?.output) };
}

/** @param {string} folder */
function removeAtEnd(folder) {
  const watcher = spawn('sh', ['-c', WATCHER, 'sh', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  /** @type {import('node:net').Socket} */ (watcher.stdin).unref();
}
