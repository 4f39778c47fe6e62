import { cp, readdir, stat } from 'node:fs/promises';
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
 * Packs the library from a copy, so that nobody who uses the real one is disturbed. What is tested cannot be a stale
 * `dist`: one that is older than anything it was made of is built afresh, by the configuration of the real build.
 */
export async function packLibrary(temporary: string): Promise<PackedLibrary> {
  const folder = join(temporary, 'library');
  const isFresh = await isBuilt();
  const leftOut = new Set(['node_modules', ...(isFresh ? [] : ['dist'])]);
  await cp(LIBRARY, folder, { recursive: true, filter: (source) => !leftOut.has(basename(source)) });
  if (!isFresh) {
    const config = join(LIBRARY, 'tsconfig.build.json');
    await outputOf(process.execPath, [TSC, '--project', config, '--outDir', join(folder, 'dist')], ROOT);
  }
  const report = await outputOf('npm', ['pack', '--json', '--pack-destination', temporary], folder);
  const [packed] = JSON.parse(report) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(temporary, packed.filename), files: packed.files.map(({ path }) => path), folder };
}

/** Whether all of `dist` was written after all that it is made of. */
async function isBuilt(): Promise<boolean> {
  const written = await modificationTimes(join(LIBRARY, 'dist'));
  const sources = await Promise.all([
    modificationTimes(join(LIBRARY, 'src')),
    ...[join(LIBRARY, 'tsconfig.build.json'), join(ROOT, 'tsconfig.base.json')].map(modifiedAt),
  ]);
  return written.length > 0 && Math.min(...written) > Math.max(...sources.flat());
}

/** Of all that is in it, folders too: they change when something is removed. */
async function modificationTimes(folder: string): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => undefined);
  return entries ? Promise.all(['.', ...entries].map(async (entry) => modifiedAt(join(folder, entry)))) : [];
}

async function modifiedAt(file: string): Promise<number> {
  return (await stat(file)).mtimeMs;
}
