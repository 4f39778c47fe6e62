import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TSC } from './packed-library.js';
import { type ProgramResult, outputOf, runProgram } from './run-program.js';

/** What a Nest application has before it installs this library. */
const NEST_APPLICATION = (major: number) => [
  `@nestjs/common@${major}`,
  `@nestjs/core@${major}`,
  'reflect-metadata@0.2',
  'rxjs@7',
  '@types/node@20',
];

/** Makes an empty application on a major version of Nest, and installs `packages` into it as a user would. */
export async function installApplication(folder: string, nest: number, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'sample-app', private: true }));
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await outputOf('npm', ['install', ...quiet, ...NEST_APPLICATION(nest), ...packages], folder);
}

/** Writes a program into a folder of its own inside an application, as ES modules or as CommonJS. */
export async function writeProgram(folder: string, type: 'module' | 'commonjs', source: string): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type }));
  await writeFile(join(folder, 'main.ts'), source);
}

/**
 * Compiles programs of an application, all at once because most of the work is the packages that they share: the
 * compiler checks the types of all packages as well (`skipLibCheck` is off). The JavaScript is written even when types
 * do not fit.
 */
export async function compilePrograms(application: string, programs: readonly string[]): Promise<ProgramResult> {
  const compilerOptions = {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  const files = programs.map((program) => join(program, 'main.ts'));
  await writeFile(join(application, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  return runProgram(process.execPath, [TSC, '--project', '.'], application);
}

export function runCompiled(folder: string): Promise<ProgramResult> {
  return runProgram(process.execPath, ['main.js'], folder);
}
