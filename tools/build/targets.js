import { copyFile, readFile, rm } from 'node:fs/promises';
import { runCommand } from '@distributed-session/test-servers/run-command.js';

const LIBRARY = 'libs/distributed-session';
/** What every build depends on: all versions of packages, and the build itself. */
const COMMON_INPUTS = ['package-lock.json', 'tsconfig.base.json', '.swcrc', 'tools/build'];

/**
 * Something to build: from `inputs`, which are files and folders, into the folder `output`, which `make` fills.
 *
 * @typedef {{ title: string, inputs: string[], output: string, make: () => Promise<void> }} Target
 */

/** @type {Readonly<Record<'library' | 'service' | 'examples', Target>>} */
export const TARGETS = {
  library: {
    title: 'the library',
    inputs: [
      ...COMMON_INPUTS,
      `${LIBRARY}/src`,
      `${LIBRARY}/package.json`,
      `${LIBRARY}/tsconfig.build.json`,
      'CHANGELOG.md',
    ],
    output: `${LIBRARY}/dist`,
    make: emitLibrary,
  },
  service: {
    title: 'the session service',
    inputs: [...COMMON_INPUTS, `${LIBRARY}/src`, `${LIBRARY}/package.json`, 'src'],
    output: 'dist/session-service',
    make: () => bundleInto('dist/session-service', 'src', ['main.ts']),
  },
  examples: {
    title: 'the examples',
    inputs: [...COMMON_INPUTS, `${LIBRARY}/src`, `${LIBRARY}/package.json`, 'examples'],
    output: 'dist/examples',
    make: () => bundleInto('dist/examples', 'examples', ['demo.ts', 'main.ts']),
  },
};

/** The modules and declarations as they are published, and the changelog. `npm run types` checks the types. */
async function emitLibrary() {
  await rm(`${LIBRARY}/dist`, { recursive: true, force: true });
  await copyFile('CHANGELOG.md', `${LIBRARY}/CHANGELOG.md`);
  const tsc = ['node_modules/typescript/bin/tsc', '--project', `${LIBRARY}/tsconfig.build.json`, '--noCheck'];
  const { passed, output } = await runCommand(process.execPath, tsc);
  if (!passed) throw new Error(output);
  const [{ emitCommonJs }, { emitCommonJsTypes }] = await Promise.all([
    import('./commonjs.js'),
    import('./commonjs-types.js'),
  ]);
  await emitCommonJs(`${LIBRARY}/dist`);
  await emitCommonJsTypes(await entrySources(), `${LIBRARY}/src`, `${LIBRARY}/dist`);
}

/** The sources of the library's entry points. */
async function entrySources() {
  /** @type {{ exports: Record<string, string | Record<string, string>> }} */
  const { exports } = JSON.parse(await readFile(`${LIBRARY}/package.json`, 'utf8'));
  const entries = Object.values(exports).filter((entry) => typeof entry === 'object');
  return entries.map((entry) => `${LIBRARY}/${entry['@distributed-session/source']}`);
}

/**
 * @param {string} outdir
 * @param {string} folder
 * @param {string[]} programs
 */
async function bundleInto(outdir, folder, programs) {
  // Loaded for a build alone: most readers of this file only compare digests.
  const { bundle } = await import('./bundle.js');
  await bundle(folder, programs, outdir);
}
