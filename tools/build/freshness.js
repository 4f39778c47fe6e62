import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @import { Target } from './targets.js' */

const ROOT = join(import.meta.dirname, '../..');

/**
 * Whether the output was made from the inputs as they are now.
 *
 * @param {Target} target
 */
export function isFresh(target) {
  const record = recordOf(target);
  return (
    existsSync(join(ROOT, target.output)) && existsSync(record) && readFileSync(record, 'utf8') === digestOf(target)
  );
}

/**
 * Builds a target and records what it was made from. The inputs are read first: a change during the build makes it stale.
 *
 * @param {Target} target
 */
export async function make(target) {
  const record = recordOf(target);
  const digest = digestOf(target);
  rmSync(record, { force: true });
  await target.make();
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, digest);
}

/** @param {Target} target */
function recordOf({ output }) {
  return join(ROOT, 'dist/.inputs', `${output.replaceAll('/', '-')}.sha256`);
}

/** @param {Target} target */
function digestOf({ inputs }) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(filesOf).toSorted()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesOf(path) {
  if (statSync(join(ROOT, path)).isFile()) return [path];
  return readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
}
