import { decideOnMissing, inspectInstaller, installServer } from '../install-debian-package.js';
import { runCommand } from '../run-command.js';

const OLDEST_MAJOR = 7;
const REDIS = {
  needed: `redis-server ${OLDEST_MAJOR}.0 or later on the PATH`,
  name: 'redis-server',
  formula: 'redis',
  port: 6379,
};

/** Ensures that `redis-server` is on the `PATH`. The tests start their own servers. */
export async function installRedis() {
  if (decideOn(await inspectSystem()) === 'use it') return;
  await installServer(REDIS);
  // The package of an old system is not installed twice.
  decideOn({ ...(await inspectSystem()), hasApt: false });
}

/**
 * What to do on a system; throws an error that contains the command to run if only its user can run it.
 *
 * @param {{ version: string | undefined, isRoot: boolean, hasApt: boolean }} system `version` is what the server on the
 *   `PATH` prints, if there is one.
 * @returns {'use it' | 'install it'}
 */
export function decideOn({ version, ...installer }) {
  if (version === undefined) return decideOnMissing(REDIS, installer);
  const major = Number(/v=(\d+)\./u.exec(version)?.[1]);
  if (major >= OLDEST_MAJOR) return 'use it';
  throw new Error(`The tests need ${REDIS.needed}. This one is: ${version.trim()}`);
}

async function inspectSystem() {
  const server = await runCommand('redis-server', ['--version']);
  return { version: server.passed ? server.output : undefined, ...(await inspectInstaller()) };
}
