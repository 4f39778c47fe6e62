import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TSC } from './packed-library.js';
import { type ProgramResult, outputOf, runProgram } from './run-program.js';

/** The packages of a Nest application before it installs this library. */
const NEST_APPLICATION = (major: number) => [
  `@nestjs/common@${major}`,
  `@nestjs/core@${major}`,
  'reflect-metadata@0.2',
  'rxjs@7',
  '@types/node@20',
];

/** Creates an empty application on a major version of Nest, and installs `packages` as a user would. */
export async function installApplication(folder: string, nest: number, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'sample-app', private: true }));
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await outputOf('npm', ['install', ...quiet, ...NEST_APPLICATION(nest), ...packages], folder);
}

/** Writes a program into a new folder inside an application, as an ES module or as CommonJS. */
export async function writeProgram(folder: string, type: 'module' | 'commonjs', source: string): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type }));
  await writeFile(join(folder, 'main.ts'), source);
}

/**
 * Compiles programs of an application in one run, because the compiler spends most of its time on the packages that
 * they share.
 */
export async function compilePrograms(application: string, programs: readonly string[]): Promise<ProgramResult> {
  return compileFiles(
    application,
    programs.map((program) => join(program, 'main.ts')),
  );
}

/**
 * Compiles files of an application with the types of all packages checked. Writes the JavaScript even if there are type
 * errors.
 */
export async function compileFiles(
  application: string,
  files: readonly string[],
  { module = 'NodeNext' }: { readonly module?: string } = {},
): Promise<ProgramResult> {
  const compilerOptions = {
    target: 'ES2023',
    module,
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  await writeFile(join(application, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  return runProgram(process.execPath, [TSC, '--project', '.'], application);
}

export function runCompiled(folder: string): Promise<ProgramResult> {
  return runProgram(process.execPath, ['main.js'], folder);
}
