import { delimiter, join } from 'node:path';
import { decideOnMissing, inspectInstaller, installServer } from '../install-debian-package.js';
import { runCommand } from '../run-command.js';

const NGINX = { needed: 'nginx 1.18 or later', name: 'nginx-light', formula: 'nginx', port: 80 };
/** Packages install it where only root's `PATH` leads. */
const FOLDER = '/usr/sbin';

/** An environment variable that Jest's workers read. */
const PROGRAM = 'TESTS_NGINX_PROGRAM';

/** Ensures that nginx is installed. The tests start their own proxies. */
export async function installNginx() {
  const found = await findProgram();
  if (found === undefined) {
    decideOnMissing(NGINX, await inspectInstaller());
    await installServer(NGINX);
  }
  const program = found ?? (await findProgram());
  if (program === undefined) throw new Error(`The tests need ${NGINX.needed}, which was not found.`);
  process.env[PROGRAM] = program;
}

/** The path of this run's nginx. */
export function nginxProgram() {
  const { [PROGRAM]: program } = process.env;
  if (!program) throw new Error('nginx was not found. Run the tests through Jest, whose globalSetup installs it.');
  return program;
}

async function findProgram() {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), FOLDER].filter((folder) => folder !== '');
  for (const folder of folders) {
    const program = join(folder, 'nginx');
    if ((await runCommand(program, ['-v'])).passed) return program;
  }
  return undefined;
}
