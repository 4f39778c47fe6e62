/**
 * What `npm test` runs: the build, every check, every test. All of them run, also after one has failed; the output of
 * a check is shown when it fails. The last line counts the whole run, each check as one.
 */
import { runCommand } from './run-command.js';
import { runJest } from './run-jest.js';

/** The names of scripts in package.json. None of them needs or changes what another one writes. */
const CHECKS = ['format:check', 'lint', 'types', 'unused', 'publint', 'attw'];
/** How many checks run at a time. */
const LANES = 2;

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

/** @returns {Promise<boolean[]>} */
async function checkAll() {
  const waiting = [...CHECKS];
  /** @type {boolean[]} */
  const results = [];
  const lane = async () => {
    for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) {
      results.push(await check(script));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

// The build comes first: publint and attw look at what it makes.
const checks = [await check('build'), ...(await checkAll())];
const tests = await runJest();
const passed = checks.filter(Boolean).length + tests.passed;
const failed = checks.length - checks.filter(Boolean).length + tests.failed;
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);
