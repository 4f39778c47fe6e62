import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCommand } from '../run-command.js';

/** The password of the superuser `postgres` in every test cluster. */
export const PASSWORD = 'of-the-tests';

/** Environment variables that Jest's workers read. */
const FOLDER = 'TESTS_POSTGRES_TEMPLATE';
const PROGRAMS = 'TESTS_POSTGRES_PROGRAMS';
/** The watcher's script: the end of its input means that this process has died. */
const WATCHER = 'read -r _; rm -rf "$1"';
const INITDB = ['--no-sync', '--encoding=UTF8', '--no-locale', '--username=postgres', '--auth=scram-sha-256'];

/** Creates the cluster that every server of this run starts with a copy of; it is removed with this process. */
export async function makeTemplate(/** @type {string} */ programs) {
  // In watch mode, Jest runs the global set-up before each run.
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

/** This run's template cluster and the folder of the server's programs. */
export function findTemplate() {
  const { [FOLDER]: folder, [PROGRAMS]: programs } = process.env;
  if (!folder || !programs)
    throw new Error('The template cluster does not exist. Run the tests through Jest, whose globalSetup creates it.');
  return { data: join(folder, 'data'), programs };
}

/** The user of the server: the current user, unless it is root, which PostgreSQL rejects. */
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
