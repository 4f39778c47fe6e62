/**
 * `node tools/build/build.js [library] [service] [examples]` builds what is named and stale, and everything by default.
 */
import { isFresh, make } from './freshness.js';
import { TARGETS } from './targets.js';

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS);
await Promise.all(names.map((name) => build(/** @type {keyof typeof TARGETS} */ (name))));

/** @param {keyof typeof TARGETS} name */
async function build(name) {
  const target = TARGETS[name];
  if (isFresh(target)) return;
  console.log(`Building ${target.title} …`);
  const start = performance.now();
  await make(target);
  console.log(`Built ${target.title} in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}
