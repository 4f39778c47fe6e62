import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { runCommand } from '../run-command.js';

const OLDEST_MAJOR = 7;
const INSTALL = ['apt-get', 'install', '-y', '--no-install-recommends', 'redis-server'];
/** What Debian asks before a package starts its service. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_OF_NO_STARTS = '#!/bin/sh\nexit 101\n';
const PORT_OF_THE_SERVICE = 6379;

/** For `globalSetup` of Jest: puts `redis-server` on the `PATH`, which the tests start for themselves. */
export default async function installRedis() {
  const decision = decideOn(await inspectSystem());
  if (decision === 'use it') return;
  console.log(`The tests need redis-server: it is installed now, by \`${INSTALL.join(' ')}\`.`);
  await install();
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
export function decideOn({ version, isRoot, hasApt }) {
  if (version !== undefined) {
    const major = Number(/v=(\d+)\./u.exec(version)?.[1]);
    if (major >= OLDEST_MAJOR) return 'use it';
    throw new Error(
      `The tests need redis-server ${OLDEST_MAJOR}.0 or later on the PATH. This one is: ${version.trim()}`,
    );
  }
  if (!hasApt)
    throw new Error(`The tests need redis-server ${OLDEST_MAJOR}.0 or later on the PATH: \`brew install redis\`.`);
  if (!isRoot) throw new Error(`The tests need redis-server: \`sudo ${INSTALL.join(' ')}\`.`);
  return 'install it';
}

async function inspectSystem() {
  const server = await runCommand('redis-server', ['--version']);
  const apt = await runCommand('apt-get', ['--version']);
  return {
    version: server.passed ? server.output : undefined,
    isRoot: process.getuid?.() === 0,
    hasApt: apt.passed,
  };
}

/** Installs it so that the package does not start its service. */
async function install() {
  const wasListening = await isListening();
  const isPolicyOurs = await forbidStarts();
  try {
    await runApt(['apt-get', 'update']);
    await runApt(INSTALL);
  } finally {
    if (isPolicyOurs) await rm(POLICY_FILE, { force: true });
  }
  if (!wasListening && (await isListening())) {
    throw new Error('The package has started redis-server as a service: `service redis-server stop`.');
  }
}

/** Whether the policy is ours to take back; the system may have one of its own, which stays. */
async function forbidStarts() {
  try {
    await writeFile(POLICY_FILE, POLICY_OF_NO_STARTS, { mode: 0o755, flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string[]} line */
async function runApt(line) {
  // For systems whose policy allows starts: nothing is started in single-user mode.
  const { passed, output } = await runCommand('env', ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', ...line]);
  if (!passed) throw new Error(`redis-server could not be installed by \`${line.join(' ')}\`:\n${output}`);
}

/** @returns {Promise<boolean>} */
function isListening() {
  return new Promise((resolve) => {
    const socket = connect({ port: PORT_OF_THE_SERVICE, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
