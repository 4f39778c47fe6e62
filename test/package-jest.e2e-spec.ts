import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GREETING, IMPORT_DEPENDENCY, INJECTION, REQUIRE_AND_IMPORT } from './support/jest-specs.js';
import { codeBlocks, sectionOf } from './support/markdown.js';
import { createMixedApplication } from './support/mixed-application.js';
import { LIBRARY, packLibrary } from './support/packed-library.js';
import { type ProgramResult, runProgram } from './support/run-program.js';

const MINUTE = 60_000;
const JEST = ['jest@30', '@jest/globals@30', '@swc/jest@0.2', '@swc/core@1'];
const REFUSAL = /was loaded twice, from ES modules and from CommonJS.* Select CommonJS for both with the condition/;
/** From this version, Jest requires ES modules as Node does, with `--experimental-vm-modules`. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isRequiringEsModules = major > 24 || (major === 24 && minor >= 9);
const ONE_OR_NONE = isRequiringEsModules ? { code: 0, stderr: /1 passed/ } : { code: 1, stderr: REFUSAL };

/** The configurations of Jest in the section of the README, in their order. */
async function documented(): Promise<readonly object[]> {
  const section = sectionOf(await readFile(join(LIBRARY, 'README.md'), 'utf8'), 'CommonJS and test runners');
  return codeBlocks(section)
    .filter(({ language }) => language === 'json')
    .map(({ code }) => JSON.parse(code) as object);
}

describe('the packed library in Jest', () => {
  let temporary: string;
  let selectCommonJs: object;
  let esModules: object;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'package-jest-'));
    const { tarball } = await packLibrary(temporary);
    [selectCommonJs, esModules] = (await documented()) as [object, object];
    await Promise.all(
      [11, 12].map((nest) =>
        createMixedApplication(
          folderOf(nest),
          nest,
          [tarball, 'class-validator', `@nestjs/testing@${nest}`, ...JEST],
          [],
        ),
      ),
    );
  }, 10 * MINUTE);

  afterAll(() => rm(temporary, { recursive: true, force: true }));

  const folderOf = (nest: number) => join(temporary, `nest-${nest}`);

  /** Runs Jest on files in a new folder of an application, with `--experimental-vm-modules`. */
  async function jest(
    nest: number,
    type: 'module' | 'commonjs',
    files: Readonly<Record<string, string>>,
    config: object,
  ): Promise<ProgramResult> {
    const folder = await mkdtemp(join(folderOf(nest), 'project-'));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type, private: true }));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await writeFile(join(folder, 'jest.config.json'), JSON.stringify({ transform: {}, ...config }));
    const program = join(folderOf(nest), 'node_modules/jest/bin/jest.js');
    return runProgram(process.execPath, ['--experimental-vm-modules', program], folder);
  }

  describe.each([
    ['a test in CommonJS that also imports it', 'commonjs', REQUIRE_AND_IMPORT],
    ['a test in ES modules with a CommonJS dependency', 'module', IMPORT_DEPENDENCY],
  ] as const)('for %s', (_title, type, spec) => {
    it('refuses a second copy, and names the way out, unless Jest loads one copy for both', async () => {
      const { code, stderr } = await jest(11, type, { 'mixed.spec.js': spec }, {});
      expect(code).toBe(ONE_OR_NONE.code);
      expect(stderr).toMatch(ONE_OR_NONE.stderr);
    });

    it('is one copy with the configuration that the README shows', async () => {
      const { code, stderr } = await jest(11, type, { 'mixed.spec.js': spec }, selectCommonJs);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('1 passed') });
    });
  });

  it.each([11, 12])('runs in ES modules as the README configures them, on Nest %i', async (nest) => {
    const files = { 'injection.spec.ts': INJECTION, 'greeting.ts': GREETING };
    const { code, stderr } = await jest(nest, 'module', files, esModules);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('1 passed') });
  });
});
