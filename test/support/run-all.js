/**
 * What `npm test` runs: the build, every check, every test. All of them run, also after one has failed; the output of
 * a check is shown when it fails. The last line counts the whole run, each check as one.
 */
import { runCommand } from '@distributed-session/test-servers/run-command.js';
import { runJest } from './run-jest.js';

/** The names of scripts in package.json, in lanes that run at the same time. No lane needs or changes what another writes. */
const LANES = [
  // What publint and attw look at is what the build makes.
  ['build', 'publint', 'attw'],
  ['types', 'format:check', 'lint', 'unused'],
];

/**
 * @param {string} script
 * @returns {Promise<boolean>}
 */
async function check(script) {
  const { passed, output } = await runCommand('npm', ['run', '--silent', script]);
  console.log(`${passed ? 'passed' : 'FAILED'}  ${script}`);
  if (!passed) console.log(output);
  return passed;
}

/**
 * @param {string[]} scripts
 * @returns {Promise<boolean[]>}
 */
async function checkInTurn(scripts) {
  /** @type {boolean[]} */
  const results = [];
  for (const script of scripts) results.push(await check(script));
  return results;
}

const checks = (await Promise.all(LANES.map(checkInTurn))).flat();
const tests = await runJest();
const passed = checks.filter(Boolean).length + tests.passed;
const failed = checks.length - checks.filter(Boolean).length + tests.failed;
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);
