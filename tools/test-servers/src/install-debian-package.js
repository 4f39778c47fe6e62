import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { runCommand } from './run-command.js';

/** What Debian asks before a package starts its service. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_OF_NO_STARTS = '#!/bin/sh\nexit 101\n';

/**
 * A server that the tests need: `needed` is what they ask for, `name` its package and its service on Debian, `formula`
 * its name at Homebrew, `port` where its service listens.
 *
 * @typedef {{ needed: string, name: string, formula: string, port: number }} ServerPackage
 */

/**
 * What a system can do about a server that it does not have.
 *
 * @typedef {{ isRoot: boolean, hasApt: boolean }} Installer
 */

/** @returns {Promise<Installer>} */
export async function inspectInstaller() {
  const apt = await runCommand('apt-get', ['--version']);
  return { isRoot: process.getuid?.() === 0, hasApt: apt.passed };
}

/**
 * The line that installs a package.
 *
 * @param {string} name
 */
function installLine(name) {
  return ['apt-get', 'install', '-y', '--no-install-recommends', name];
}

/**
 * What to do about a server that is not there; throws with the line to type if that is for the user of the system.
 *
 * @param {ServerPackage} server
 * @param {Installer} installer
 * @returns {'install it'}
 */
export function decideOnMissing({ needed, name, formula }, { isRoot, hasApt }) {
  if (!hasApt) throw new Error(`The tests need ${needed}: \`brew install ${formula}\`.`);
  if (!isRoot) throw new Error(`The tests need ${needed}: \`sudo ${installLine(name).join(' ')}\`.`);
  return 'install it';
}

/**
 * Says that a server is installed now, and does it so that no package starts its service.
 *
 * @param {ServerPackage} server
 * @param {() => Promise<void>} [install] For one that takes more than its package.
 */
export async function installServer({ name, port }, install = () => installPackage(name)) {
  console.log(`The tests need ${name}: it is installed now, by \`${installLine(name).join(' ')}\`.`);
  const wasListening = await isListening(port);
  const isPolicyOurs = await forbidStarts();
  try {
    await runApt(['apt-get', 'update']);
    await install();
  } finally {
    if (isPolicyOurs) await rm(POLICY_FILE, { force: true });
  }
  if (!wasListening && (await isListening(port))) {
    throw new Error(`The package has started ${name} as a service: \`service ${name} stop\`.`);
  }
}

/** @param {string} name */
export function installPackage(name) {
  return runApt(installLine(name));
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
  if (!passed) throw new Error(`What the tests need could not be installed by \`${line.join(' ')}\`:\n${output}`);
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isListening(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
