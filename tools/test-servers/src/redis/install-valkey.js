import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inspectInstaller } from '../install-debian-package.js';
import { runCommand } from '../run-command.js';
import { installRedis } from './install-redis.js';

const FOLDER = resolve('node_modules/.cache/valkey');
const PACKAGES = ['valkey-server', 'valkey-tools'];
const NEEDED = 'The tests need valkey-server 8.0 or later on the PATH';

/**
 * For `globalSetup` of Jest: finds `valkey-server` on the `PATH`, or unpacks Debian's packages into `node_modules/.cache`,
 * from the backports if the system's release has none. Nothing is installed, so nothing conflicts with Redis, whose
 * package installs the libraries. Workers find the program in `TESTS_VALKEY_PROGRAM`.
 */
export default async function installValkey() {
  await installRedis();
  process.env['TESTS_VALKEY_PROGRAM'] = await findProgram();
}

async function findProgram() {
  if (await isValkey('valkey-server')) return 'valkey-server';
  const unpacked = join(FOLDER, 'usr/bin/valkey-server');
  if (!existsSync(unpacked)) await unpack();
  if (await isValkey(unpacked)) return unpacked;
  throw new Error(`${NEEDED}, and that of Debian does not run on this system.`);
}

/** @param {string} program */
async function isValkey(program) {
  const { passed, output } = await runCommand(program, ['--version']);
  return passed && Number(/^Valkey server v=(\d+)\./u.exec(output)?.[1]) >= 8;
}

async function unpack() {
  if (!(await inspectInstaller()).hasApt) throw new Error(`${NEEDED}: \`brew install valkey\`.`);
  console.log(`The tests need valkey-server: it is unpacked now from Debian's packages into ${FOLDER}.`);
  const lists = join(FOLDER, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await writeFile(join(FOLDER, 'sources.list'), await sources());
  // Separate lists of packages, so that the system's do not change and no rights are needed.
  const options = {
    'Dir::Etc::SourceList': join(FOLDER, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': lists,
    'Dir::Cache': FOLDER,
    'APT::Sandbox::User': 'root',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...flags, 'update']);
  const script = 'cd "$1" && shift && apt-get "$@" && for file in *.deb; do dpkg -x "$file" .; done';
  await run('sh', ['-c', script, 'sh', FOLDER, ...flags, 'download', ...PACKAGES]);
}

/** The sources of the system's release, and of its backports from the same server. */
async function sources() {
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages']);
  const [uri = '', release = ''] = targets.split('\n')[0]?.split(' ') ?? [];
  return [release, `${release}-backports`].map((name) => `deb ${uri} ${name} main\n`).join('');
}

/**
 * @param {string} command
 * @param {string[]} args
 */
async function run(command, args) {
  const { passed, output } = await runCommand(command, args);
  if (!passed) throw new Error(`${NEEDED}. It could not be unpacked by ${command}:\n${output}`);
  return output;
}
