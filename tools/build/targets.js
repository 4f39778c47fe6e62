import { rm } from 'node:fs/promises';
import { runCommand } from '@distributed-session/test-servers/run-command.js';
import { bundle } from './bundle.js';

const LIBRARY = 'libs/distributed-session';
const EXAMPLES = ['demo.ts', 'main.ts'];
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
    inputs: [...COMMON_INPUTS, `${LIBRARY}/src`, `${LIBRARY}/tsconfig.build.json`],
    output: `${LIBRARY}/dist`,
    make: emitLibrary,
  },
  service: {
    title: 'the session service',
    inputs: [...COMMON_INPUTS, `${LIBRARY}/src`, `${LIBRARY}/package.json`, 'src'],
    output: 'dist/session-service',
    make: () => bundle('src', ['main.ts'], 'dist/session-service'),
  },
  examples: {
    title: 'the examples',
    inputs: [...COMMON_INPUTS, `${LIBRARY}/src`, `${LIBRARY}/package.json`, 'examples'],
    output: 'dist/examples',
    make: () => bundle('examples', EXAMPLES, 'dist/examples'),
  },
};

/** Modules and declarations as they are published. `npm run types` checks the types. */
async function emitLibrary() {
  await rm(`${LIBRARY}/dist`, { recursive: true, force: true });
  const tsc = ['node_modules/typescript/bin/tsc', '--project', `${LIBRARY}/tsconfig.build.json`, '--noCheck'];
  const { passed, output } = await runCommand(process.execPath, tsc);
  if (!passed) throw new Error(output);
}
