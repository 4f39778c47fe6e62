import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '@distributed-session/test-servers/run-command.js';

/**
 * Runs the tests of the tier in `TEST_TIER` with their usual output, and counts them from Jest's report.
 *
 * @param {{ paths?: readonly string[], env?: NodeJS.ProcessEnv }} [options] `paths` are parts of the paths of the files to
 *   run, instead of all.
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runJest({ paths = [], env = process.env } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'jest-report-'));
  const report = join(folder, 'report.json');
  try {
    // By default, Jest leaves one core idle: on a machine with two, it runs one file at a time.
    const args = ['--json', `--outputFile=${report}`, '--maxWorkers=2', ...paths];
    const run = await runCommand('npm', ['run', '--silent', 'jest', '--', ...args], { visible: true, env });
    return countTests(JSON.parse(await readFile(report, 'utf8')), run.passed);
  } catch (error) {
    console.error('Jest did not write a report:', error);
    return { passed: 0, failed: 1 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A file that cannot be loaded counts as one failure. So does a run without tests, and a run that Jest reports as failed
 * although no test failed.
 *
 * @param {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number }} report
 * @param {boolean} succeeded
 */
function countTests({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites }, succeeded) {
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  const unexplained = failed === 0 && (!succeeded || numPassedTests === 0);
  return { passed: numPassedTests, failed: unexplained ? 1 : failed };
}
