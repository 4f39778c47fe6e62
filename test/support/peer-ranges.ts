import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIBRARY } from './packed-library.js';

interface Manifest {
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const { peerDependencies } = JSON.parse(readFileSync(join(LIBRARY, 'package.json'), 'utf8')) as Manifest;

/** The lowest version of every peer of the library, as an argument of `npm install`. */
export const LOWEST_PEERS: readonly string[] = Object.entries(peerDependencies).map(
  ([name, range]) => `${name}@${/\d+\.\d+\.\d+/.exec(range)![0]}`,
);
