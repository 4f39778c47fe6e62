/**
 * `node test/support/run-tier.js [fast|default|full]` runs a tier of the tests: `TEST_TIER` or the default one, if none
 * is given. Except for the fast one, it builds first, and runs every check beside the tests. The full one then runs a part
 * of the tests on other versions of Node. Everything runs, also after a failure. The last line counts the whole run, each
 * check as one.
 */
import { runCommand } from '@distributed-session/test-servers/run-command.js';
import { NOTES, tierNamed } from '../tiers.js';
import { runOnOtherNodes } from './node-versions.js';
import { runJest } from './run-jest.js';

/** The scripts in package.json that check the sources and what was built. */
const CHECKS = ['types', 'lint', 'format:check', 'unused', 'publint', 'attw'];

const tier = tierNamed(process.argv[2] ?? process.env['TEST_TIER'] ?? 'default');
process.env['TEST_TIER'] = tier;
const start = performance.now();
const here =
  tier === 'fast' ? [await runJest()] : [await run('build'), ...(await Promise.all([runJest(), runAll(CHECKS)]))];
const elsewhere = tier === 'full' ? await runOnOtherNodes() : [];
const nodes = [{ node: process.version, ...sum(here) }, ...elsewhere];
const total = sum(nodes);
process.exitCode = total.failed > 0 ? 1 : 0;
console.log(`\nThe ${tier} tier ran in ${Math.round((performance.now() - start) / 1000)} s. ${NOTES[tier]}`);
if (tier === 'full') for (const { node, ...counts } of nodes) console.log(`On Node ${node}: ${line(counts)}`);
console.log(line(total));

/**
 * Runs scripts one after another, so that they share the machine with the tests.
 *
 * @param {string[]} scripts
 */
async function runAll(scripts) {
  const results = [];
  for (const script of scripts) results.push(await run(script));
  return sum(results);
}

/**
 * Runs a script and shows its output if it fails.
 *
 * @param {string} script
 */
async function run(script) {
  const { passed, output } = await runCommand('npm', ['run', '--silent', script]);
  console.log(`${passed ? 'passed' : 'FAILED'}  ${script}`);
  if (!passed) console.log(output);
  return { passed: Number(passed), failed: Number(!passed) };
}

/** @param {readonly { passed: number, failed: number }[]} results */
function sum(results) {
  return results.reduce((all, { passed, failed }) => ({ passed: all.passed + passed, failed: all.failed + failed }), {
    passed: 0,
    failed: 0,
  });
}

/** @param {{ passed: number, failed: number }} counts */
function line({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
