import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { entries } from './support/import-graph.js';
import { createMixedApplication, MIXED_PROGRAMS } from './support/mixed-application.js';
import { packLibrary } from './support/packed-library.js';
import { type ProgramResult, runProgram } from './support/run-program.js';
import { compileFiles } from './support/sample-app.js';

const MINUTE = 60_000;
const NAMES = entries().map((entry) => entry.replace('.', 'nestjs-distributed-session'));
const COMMONJS = '--conditions=@distributed-session/commonjs';
const NO_REQUIRE = '--no-experimental-require-module';
const ONE_COPY = { code: 0, stdout: 'one copy\n', stderr: '' };
const PEERS = ['class-validator', 'ioredis', 'pg', 'fast-check'];
/** With `node16`, no CommonJS file may import Nest 12 itself. */
const COMPILED = [
  { nest: 11, module: 'node16' },
  { nest: 11, module: 'nodenext' },
  { nest: 12, module: 'nodenext' },
];
const REFUSAL = /was loaded twice, from ES modules and from CommonJS.* Select CommonJS for both with the condition/;

describe('the formats of the packed library', () => {
  const compiled = new Map<string, ProgramResult>();
  let temporary: string;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'package-formats-'));
    const { tarball } = await packLibrary(temporary);
    await Promise.all(
      [11, 12].map((nest) =>
        createMixedApplication(folderOf(nest), nest, [tarball, ...PEERS, `@nestjs/terminus@${nest}`], NAMES),
      ),
    );
    for (const { nest, module } of COMPILED) {
      compiled.set(`${nest} ${module}`, await compileFiles(folderOf(nest), MIXED_PROGRAMS, { module }));
    }
  }, 10 * MINUTE);

  afterAll(() => rm(temporary, { recursive: true, force: true }));

  const folderOf = (nest: number) => join(temporary, `nest-${nest}`);
  const run = (nest: number, ...args: readonly string[]) => runProgram(process.execPath, args, folderOf(nest));

  it.each(COMPILED)(
    'have the same types in an ES module, in CommonJS and in a CommonJS dependency ($module, Nest $nest)',
    ({ nest, module }) => {
      expect(compiled.get(`${nest} ${module}`)).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );

  describe.each([11, 12])('on Nest %i', (nest) => {
    it('are the same classes, functions and constants in every entry point, imported and required', async () => {
      expect(await run(nest, 'compare-entries.mjs')).toEqual(ONE_COPY);
    });

    it.each(['esm.mjs', 'cjs.cjs'])('are one library for %s and for a CommonJS dependency', async (program) => {
      expect(await run(nest, program)).toEqual(ONE_COPY);
    });

    it('export the same names, which classes and functions keep', async () => {
      const [esModules, commonJs] = await Promise.all([
        run(nest, 'list-names.mjs'),
        run(nest, COMMONJS, 'list-names.mjs'),
      ]);
      expect(esModules).toMatchObject({ code: 0, stderr: '' });
      expect(commonJs.stdout.split('\n')).toEqual(esModules.stdout.split('\n'));
    });
  });

  describe('in a process that cannot require ES modules, on Nest 11', () => {
    it('are not mixed: the second one is refused, in a sentence that names the way out', async () => {
      const { code, stdout, stderr } = await run(11, NO_REQUIRE, 'compare-entries.mjs');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(REFUSAL);
    });

    it('are one if the condition selects CommonJS', async () => {
      expect(await run(11, NO_REQUIRE, COMMONJS, 'compare-entries.mjs')).toEqual(ONE_COPY);
      expect(await run(11, NO_REQUIRE, COMMONJS, 'esm.mjs')).toEqual(ONE_COPY);
    });
  });
});
