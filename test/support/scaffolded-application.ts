import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { type ProgramResult, outputOf, runProgram } from './run-program.js';

/** The templates of `nest new`: the version of its schematics, and the options of the choices that it offers. */
const TEMPLATES = {
  'Nest 11.0': { version: '11.0.0', options: [] },
  'Nest 11': { version: '11', options: [] },
  'Nest 12, ES modules': { version: '12', options: ['--type=esm', '--no-observe'] },
  'Nest 12, CommonJS': { version: '12', options: ['--type=cjs', '--no-observe'] },
} as const;

export type Template = keyof typeof TEMPLATES;

/** An application as `nest new` creates it. */
export class ScaffoldedApplication {
  #running: ChildProcess | undefined;

  constructor(
    readonly folder: string,
    /** The folder of the `node` that runs its scripts, if it is not the one of this process. */
    private readonly nodeFolder?: string,
  ) {}

  async write(sources: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(sources)) await writeFile(join(this.folder, path), text);
  }

  /** Runs npm. Resolves when it has ended, with any exit code. */
  npm(...args: readonly string[]): Promise<ProgramResult> {
    return runProgram('npm', args, this.folder, this.#environment());
  }

  /** Runs a program of its packages. Resolves when it has ended, with any exit code. */
  npx(...args: readonly string[]): Promise<ProgramResult> {
    return this.npm('exec', '--no', '--', ...args);
  }

  /** Starts the built application, and resolves to its URL when it answers. */
  async start(): Promise<string> {
    const port = await freePort();
    const env = { ...this.#environment(), PORT: String(port) };
    const child = spawn('node', ['dist/main'], { cwd: this.folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#running = child;
    const url = `http://127.0.0.1:${port}`;
    for (;;) {
      const isAnswered = await fetch(url).then(
        () => true,
        () => false,
      );
      if (isAnswered) return url;
      if (child.exitCode !== null) throw new Error(`The application ended with ${child.exitCode}.`);
      await setTimeout(50);
    }
  }

  async stop(): Promise<void> {
    const child = this.#running;
    this.#running = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }

  /** The environment of a shell: without what this test runner sets for its own programs. */
  #environment(): NodeJS.ProcessEnv {
    const { JEST_WORKER_ID: _, NODE_ENV: __, PATH, ...rest } = process.env;
    return { ...rest, PATH: this.nodeFolder === undefined ? PATH : `${this.nodeFolder}${delimiter}${PATH}` };
  }
}

/** Creates an application per template below a folder, with the schematics that `nest new` runs. */
export async function scaffold(folder: string): Promise<Readonly<Record<Template, string>>> {
  const templates = Object.keys(TEMPLATES) as Template[];
  const collections = new Set(templates.map((template) => TEMPLATES[template].version));
  const packages = Array.from(collections, (version) => `schematics-${version}@npm:@nestjs/schematics@${version}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'scaffolds', private: true }));
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await outputOf('npm', ['install', ...quiet, '@angular-devkit/schematics-cli@19', ...packages], folder);
  const folders: Partial<Record<Template, string>> = {};
  for (const [index, template] of templates.entries()) {
    const { version, options } = TEMPLATES[template];
    const name = `application-${index}`;
    const choices = [`--name=${name}`, '--package-manager=npm', '--language=ts', ...options, '--no-dry-run'];
    const program = 'node_modules/@angular-devkit/schematics-cli/bin/schematics.js';
    await outputOf(process.execPath, [program, `schematics-${version}:application`, ...choices], folder);
    folders[template] = join(folder, name);
  }
  return folders as Record<Template, string>;
}
