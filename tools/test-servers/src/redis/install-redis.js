import { decideOnMissing, inspectInstaller, installServer } from '../install-debian-package.js';
import { runCommand } from '../run-command.js';

const OLDEST_MAJOR = 7;
const REDIS = {
  needed: `redis-server ${OLDEST_MAJOR}.0 or later on the PATH`,
  name: 'redis-server',
  formula: 'redis',
  port: 6379,
};

/** Puts `redis-server` on the `PATH`, which the tests start for themselves. */
export async function installRedis() {
  if (decideOn(await inspectSystem()) === 'use it') return;
  await installServer(REDIS);
  // A system may have an old one only, which is not installed twice.
  decideOn({ ...(await inspectSystem()), hasApt: false });
}

/**
 * What to do on such a system; throws with the line to type if that is for its user to do.
 *
 * @param {{ version: string | undefined, isRoot: boolean, hasApt: boolean }} system `version` is what the server on the
 *   `PATH` says of itself, if there is one.
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
