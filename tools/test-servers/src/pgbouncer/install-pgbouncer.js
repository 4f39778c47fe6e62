import { delimiter, join } from 'node:path';
import { decideOnMissing, inspectInstaller, installServer } from '../install-debian-package.js';
import { runCommand } from '../run-command.js';

const PGBOUNCER = { needed: 'PgBouncer 1.18 or later', name: 'pgbouncer', formula: 'pgbouncer', port: 6432 };
/** Packages install it where only root's `PATH` leads. */
const FOLDER = '/usr/sbin';

/** An environment variable that Jest's workers read. */
const PROGRAM = 'TESTS_PGBOUNCER_PROGRAM';

/** Ensures that PgBouncer is installed. The tests start their own poolers. */
export async function installPgbouncer() {
  const found = await findProgram();
  if (found === undefined) {
    decideOnMissing(PGBOUNCER, await inspectInstaller());
    await installServer(PGBOUNCER);
  }
  const program = found ?? (await findProgram());
  if (program === undefined) throw new Error(`The tests need ${PGBOUNCER.needed}, which was not found.`);
  process.env[PROGRAM] = program;
}

/** The path of this run's PgBouncer. */
export function pgbouncerProgram() {
  const { [PROGRAM]: program } = process.env;
  if (!program) throw new Error('PgBouncer was not found. Run the tests through Jest, whose globalSetup installs it.');
  return program;
}

async function findProgram() {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), FOLDER].filter((folder) => folder !== '');
  for (const folder of folders) {
    const program = join(folder, 'pgbouncer');
    if ((await runCommand(program, ['--version'])).passed) return program;
  }
  return undefined;
}
