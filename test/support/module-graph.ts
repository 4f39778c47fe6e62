import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** Returns the packages that a module imports directly or through modules of its package; `declarations` follows types. */
export function packagesReached(entry: string, declarations: boolean): ReadonlySet<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { fileName: specifier } of ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles) {
      if (!specifier.startsWith('.')) packages.add(packageOf(specifier));
      else waiting.push(join(dirname(file), declarations ? specifier.replace(/\.js$/, '.d.ts') : specifier));
    }
  }
  return packages;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
