import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loginSources } from './support/login-sources.js';
import { installNode } from './support/node-versions.js';
import { packLibrary } from './support/packed-library.js';
import type { ProgramResult } from './support/run-program.js';
import { ScaffoldedApplication, type Template, scaffold } from './support/scaffolded-application.js';

const MINUTE = 60_000;
/** Nest 12 is only ES modules, which Jest's CommonJS can require from Node 24.9. */
const NODE_OF_NEST_12_IN_JEST = 24;

interface Case {
  readonly template: Template;
  /** Packages that the application already uses. */
  readonly packages: readonly string[];
  readonly extension: '' | '.js';
  /** What the template has in `tsconfig.json`. */
  readonly module: 'commonjs' | 'nodenext';
  readonly runner: 'jest' | 'vitest';
}

const APPLICATIONS: readonly Case[] = [
  {
    template: 'Nest 11.0',
    packages: ['ioredis@5', '@nestjs/terminus@11', 'fast-check@3', 'pg@8'],
    extension: '',
    module: 'commonjs',
    runner: 'jest',
  },
  {
    template: 'Nest 11',
    packages: ['ioredis@6', '@nestjs/terminus@11', 'fast-check@4', 'pg@8', '@swc/core@1', '@swc/jest@0.2'],
    extension: '',
    module: 'nodenext',
    runner: 'jest',
  },
  {
    template: 'Nest 12, ES modules',
    packages: ['ioredis@6', '@nestjs/terminus@12', 'fast-check@4', 'pg@8'],
    extension: '.js',
    module: 'nodenext',
    runner: 'vitest',
  },
  {
    template: 'Nest 12, CommonJS',
    packages: ['ioredis@5', '@nestjs/terminus@12', 'fast-check@4', 'pg@8'],
    extension: '',
    module: 'nodenext',
    runner: 'jest',
  },
];

const SWC_FOR_JEST = {
  '^.+\\.(t|j)s$': [
    '@swc/jest',
    {
      jsc: {
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        target: 'es2023',
      },
    },
  ],
};

describe('the packed library in applications that `nest new` creates', () => {
  const applications = new Map<Template, ScaffoldedApplication>();
  let temporary: string;
  let tarball: string;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'applications-'));
    ({ tarball } = await packLibrary(temporary));
    const folders = await scaffold(join(temporary, 'scaffolds'));
    const node = await installNode(NODE_OF_NEST_12_IN_JEST);
    for (const { template } of APPLICATIONS) {
      const nodeFolder = template === 'Nest 12, CommonJS' ? node : undefined;
      applications.set(template, new ScaffoldedApplication(folders[template], nodeFolder));
    }
  }, 10 * MINUTE);

  afterAll(async () => {
    await Promise.all(Array.from(applications.values(), (application) => application.stop()));
    await rm(temporary, { recursive: true, force: true });
  });

  describe.each(APPLICATIONS)('$template ($module, $runner)', ({ template, packages, extension, module }) => {
    let application: ScaffoldedApplication;
    let installation: ProgramResult;

    beforeAll(async () => {
      application = applications.get(template)!;
      const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
      const existing = await application.npm('install', ...quiet, ...packages);
      if (existing.code !== 0) throw new Error(existing.stderr);
      installation = await application.npm('install', ...quiet, tarball, 'class-validator');
      await application.write(loginSources(extension));
    }, 5 * MINUTE);

    it('installs it beside its packages without a conflict or a warning about it', () => {
      expect(installation).toMatchObject({ code: 0 });
      expect(installation.stderr).not.toMatch(/ERESOLVE|peer|deprecated|nestjs-distributed-session/);
    });

    it(
      'compiles, starts, and protects its routes',
      async () => {
        expect(await readFile(join(application.folder, 'tsconfig.json'), 'utf8')).toContain(`"module": "${module}"`);
        expect(await application.npm('run', '--silent', 'build')).toEqual({ code: 0, stdout: '', stderr: '' });
        await expectLogin(application);
      },
      2 * MINUTE,
    );

    it(
      'runs its unit tests and the suites for storages',
      async () => {
        const { code, stdout, stderr } = await application.npm('run', '--silent', 'test');
        expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' });
        expect(testsPassed(stdout + stderr)).toBeGreaterThan(200);
      },
      3 * MINUTE,
    );

    it(
      'runs its end-to-end test',
      async () => {
        const { code, stdout, stderr } = await application.npm('run', '--silent', 'test:e2e');
        expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' });
        expect(testsPassed(stdout + stderr)).toBe(1);
      },
      2 * MINUTE,
    );
  });

  describe('Nest 11 with other tools', () => {
    it(
      'compiles with webpack, and starts',
      async () => {
        const application = applications.get('Nest 11')!;
        expect(await application.npx('nest', 'build', '--webpack')).toMatchObject({ code: 0 });
        await expectLogin(application);
      },
      2 * MINUTE,
    );

    it(
      'runs its unit tests with SWC in Jest',
      async () => {
        const transform = JSON.stringify(SWC_FOR_JEST);
        const { code, stderr } = await applications.get('Nest 11')!.npx('jest', '--transform', transform);
        expect({ code, output: code === 0 ? '' : stderr }).toEqual({ code: 0, output: '' });
        expect(testsPassed(stderr)).toBeGreaterThan(200);
      },
      2 * MINUTE,
    );
  });
});

/** Starts the application and logs in. */
async function expectLogin(application: ScaffoldedApplication): Promise<void> {
  const url = await application.start();
  try {
    const login = await fetch(`${url}/login`, { method: 'POST' });
    const { credential } = (await login.json()) as { credential: string };
    const me = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${credential}` } });
    expect(await me.json()).toEqual({ loginId: 'user123', role: 'admin' });
    expect((await fetch(`${url}/me`)).status).toBe(401);
  } finally {
    await application.stop();
  }
}

/** The number in the summary of Jest or Vitest: `Tests:  132 passed, 132 total`, `Tests  132 passed (132)`. */
function testsPassed(output: string): number {
  return Number(/^\s*Tests:?\s+(\d+) passed/m.exec(stripVTControlCharacters(output))?.[1]);
}
