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
  /** The size of the tarball, in bytes. */
  readonly size: number;
  /** The folder that was packed. */
  readonly folder: string;
}

/** Builds the library if its build is stale, and packs a copy of it. */
export async function packLibrary(temporary: string): Promise<PackedLibrary> {
  await outputOf(process.execPath, ['tools/build/build.js', 'library'], ROOT);
  const folder = join(temporary, 'library');
  await cp(LIBRARY, folder, { recursive: true, filter: (source) => basename(source) !== 'node_modules' });
  const report = await outputOf('npm', ['pack', '--json', '--pack-destination', temporary], folder);
  const [packed] = JSON.parse(report) as [{ filename: string; size: number; files: { path: string }[] }];
  const files = packed.files.map(({ path }) => path);
  return { tarball: join(temporary, packed.filename), files, size: packed.size, folder };
}
