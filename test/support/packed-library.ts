import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { outputOf } from './run-program.js';

export const ROOT = join(import.meta.dirname, '../..');
export const LIBRARY = join(ROOT, 'libs/distributed-session');
export const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** The library as `npm publish` would send it. */
export interface PackedLibrary {
  /** The path of the tarball. */
  readonly tarball: string;
  /** The paths of the files in it. */
  readonly files: readonly string[];
  /** The folder that was packed. */
  readonly folder: string;
}

/**
 * Packs the library from a copy that is built afresh, with the configuration of the real build: what is tested cannot
 * be a stale `dist`, and nobody who uses the real one is disturbed.
 */
export async function packLibrary(temporary: string): Promise<PackedLibrary> {
  const folder = join(temporary, 'library');
  const leftOut = new Set(['dist', 'node_modules']);
  await cp(LIBRARY, folder, { recursive: true, filter: (source) => !leftOut.has(basename(source)) });
  const config = join(LIBRARY, 'tsconfig.build.json');
  await outputOf(process.execPath, [TSC, '--project', config, '--outDir', join(folder, 'dist')], ROOT);
  const report = await outputOf('npm', ['pack', '--json', '--pack-destination', temporary], folder);
  const [packed] = JSON.parse(report) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(temporary, packed.filename), files: packed.files.map(({ path }) => path), folder };
}
