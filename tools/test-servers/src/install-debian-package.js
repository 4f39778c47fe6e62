import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { runCommand } from './run-command.js';

/** The script that Debian runs before a package starts its service. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY_OF_NO_STARTS = '#!/bin/sh\nexit 101\n';

/**
 * A server that the tests require: `needed` is its name and version, `name` its package and service on Debian, `formula`
 * its name at Homebrew, `port` the port of its service.
 *
 * @typedef {{ needed: string, name: string, formula: string, port: number }} ServerPackage
 */

/**
 * How a system can install a missing server.
 *
 * @typedef {{ isRoot: boolean, hasApt: boolean }} Installer
 */

/** @returns {Promise<Installer>} */
export async function inspectInstaller() {
  const apt = await runCommand('apt-get', ['--version']);
  return { isRoot: process.getuid?.() === 0, hasApt: apt.passed };
}

/**
 * The command that installs a package.
 *
 * @param {string} name
 */
function installLine(name) {
  return ['apt-get', 'install', '-y', '--no-install-recommends', name];
}

/**
 * What to do about a missing server; throws an error that contains the command to run if only the user can run it.
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
 * Announces and performs the installation of a server, without starting its service.
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
    throw new Error(`The package has started ${name} as a service. Run \`service ${name} stop\`.`);
  }
}

/** @param {string} name */
export function installPackage(name) {
  return runApt(installLine(name));
}

/** Whether this installation created the policy; a policy of the system stays. */
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
  // For systems whose policy allows starts: in single-user mode, nothing starts.
  const { passed, output } = await runCommand('env', ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', ...line]);
  if (!passed) throw new Error(`Could not install what the tests require with \`${line.join(' ')}\`:\n${output}`);
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
