import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const LIBRARY = dirname(require.resolve('nestjs-distributed-session/package.json'));

export interface ImportGraph {
  /** The absolute paths of the source files. */
  readonly files: ReadonlySet<string>;
  /** The packages that these files import, for values or only for types. */
  readonly packages: ReadonlySet<string>;
}

/** The TypeScript file behind an entry of the library, such as `.` or `./testing`. */
export function entryFile(entry: string): string {
  const { exports } = JSON.parse(readFileSync(resolve(LIBRARY, 'package.json'), 'utf8')) as {
    exports: Record<string, Record<string, string>>;
  };
  return resolve(LIBRARY, exports[entry]!['@distributed-session/source']!);
}

/** The names of all entries of the library except `./package.json`. */
export function entries(): string[] {
  const { exports } = JSON.parse(readFileSync(resolve(LIBRARY, 'package.json'), 'utf8')) as {
    exports: Record<string, string | object>;
  };
  return Object.keys(exports).filter((entry) => entry !== './package.json');
}

/** Follows every import, re-export and `import()` from a source file. */
export function importGraph(entry: string): ImportGraph {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles) {
      if (fileName.startsWith('.')) waiting.push(sourceOf(resolve(dirname(file), fileName)));
      else packages.add(packageOf(fileName));
    }
  }
  return { files, packages };
}

function sourceOf(path: string): string {
  const source = path.replace(/\.js$/, '.ts');
  if (existsSync(source)) return source;
  throw new Error(`${path} does not have a source file.`);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
