import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DistributedSessionManager, InMemorySessionStorage } from 'nestjs-distributed-session';
import { STORAGE_SUITES, loadEntries, useSecrets } from './support/installed-programs.js';
import { packLibrary } from './support/packed-library.js';
import { LOWEST_PEERS } from './support/peer-ranges.js';
import { type ProgramResult, runProgram } from './support/run-program.js';

const MINUTE = 60_000;
const COMMONJS = '--conditions=@distributed-session/commonjs';
const nest = (major: number) => [`@nestjs/common@${major}`, `@nestjs/core@${major}`, 'reflect-metadata@0.2', 'rxjs@7'];

interface Application {
  readonly title: string;
  readonly existing: readonly string[];
  /** What follows the library's name in the entry points that the application can use. */
  readonly entries: readonly string[];
}

const APPLICATIONS: readonly Application[] = [
  { title: 'an empty application', existing: [], entries: ['', '/storage', '/testing'] },
  { title: 'Nest 11 and no optional peer', existing: nest(11), entries: ['', '/storage', '/testing'] },
  { title: 'Nest 12 and only pg', existing: [...nest(12), 'pg@8'], entries: ['', '/postgres'] },
  {
    title: 'Nest 11, ioredis 5, Terminus 11 and fast-check 3',
    existing: [...nest(11), 'ioredis@5', '@nestjs/terminus@11', 'fast-check@3'],
    entries: ['', '/redis', '/terminus', '/testing'],
  },
  {
    title: 'Nest 12, ioredis 5 and fast-check 3',
    existing: [...nest(12), 'ioredis@5', 'fast-check@3'],
    entries: ['', '/redis', '/testing'],
  },
];

describe('npm install of the packed library', () => {
  const root = mkdtempSync(join(tmpdir(), 'installation-'));
  let tarball: string;

  beforeAll(async () => {
    ({ tarball } = await packLibrary(root));
  }, MINUTE);

  afterAll(() => rm(root, { recursive: true, force: true }));

  /** Creates an application with packages, and then installs the library as its README says. */
  async function install(folder: string, existing: readonly string[], ...flags: readonly string[]) {
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'sample-app', private: true }));
    const npm = (...packages: readonly string[]) =>
      runProgram('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags, ...packages], folder);
    if (existing.length > 0) {
      const { code, stderr } = await npm(...existing);
      if (code !== 0) throw new Error(stderr);
    }
    const validator = existing.some((name) => name.startsWith('class-validator@')) ? [] : ['class-validator'];
    return npm(tarball, ...validator);
  }

  /** Checks an installation beside packages; `more` adds tests in the installed application. */
  function describeInstallation({ title, existing, entries }: Application, more?: (folder: string) => void): void {
    describe(`into ${title}`, () => {
      const folder = join(root, title.replaceAll(/\W+/g, '-'));
      let installation: ProgramResult;

      beforeAll(async () => {
        installation = await install(folder, existing);
        await writeFile(join(folder, 'load.mjs'), loadEntries(entries));
      }, 5 * MINUTE);

      it('succeeds without a conflict, and without a warning about the library', () => {
        expect(installation).toMatchObject({ code: 0 });
        expect(warningsAboutTheLibrary(installation.stderr)).toEqual([]);
      });

      it('is enough to load the entry points that the application can use, from both builds', async () => {
        for (const args of [['load.mjs'], [COMMONJS, 'load.mjs']]) {
          const result = await runProgram(process.execPath, args, folder);
          expect(result).toEqual({ code: 0, stdout: 'alice\n', stderr: '' });
        }
      });

      more?.(folder);
    });
  }

  for (const application of APPLICATIONS) describeInstallation(application);

  const all = ['', '/storage', '/redis', '/postgres', '/terminus', '/testing'];
  describeInstallation(
    { title: 'the lowest version of every peer', existing: LOWEST_PEERS, entries: all },
    (folder) => {
      it(
        'is enough for the suites for storages',
        async () => {
          await writeFile(join(folder, 'suites.mjs'), STORAGE_SUITES);
          const { code, stdout } = await runProgram(process.execPath, ['--test', 'suites.mjs'], folder);
          expect({ code, failed: stdout.match(/^.*not ok .*$/gm) }).toEqual({ code: 0, failed: null });
          expect(Number(/^. pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(200);
        },
        2 * MINUTE,
      );
    },
  );

  describe('without optional packages', () => {
    const folder = join(root, 'no-optional');

    beforeAll(async () => {
      await install(folder, nest(11), '--omit=optional');
      await writeFile(join(folder, 'secrets.mjs'), useSecrets(await hashOf('correct horse battery staple')));
    }, 5 * MINUTE);

    it('leaves out the native part of argon2', async () => {
      expect(await readdir(join(folder, 'node_modules/@node-rs'))).toEqual(['argon2']);
    });

    it.each([[[]], [[COMMONJS]]])(
      'leaves everything but chosen secrets usable, and an error names the package and the way out (%j)',
      async (conditions: readonly string[]) => {
        const { code, stdout, stderr } = await runProgram(process.execPath, [...conditions, 'secrets.mjs'], folder);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        const unavailable = expect.stringMatching(
          /: ERR_PACKAGE_UNAVAILABLE The package @node-rs\/argon2 cannot be loaded\. .*npm install --include=optional.*rotateServiceSecret\(\)/,
        );
        expect(stdout.trim().split('\n')).toEqual([
          'generated: order',
          unavailable,
          unavailable,
          'unknown: ERR_SERVICE_AUTHENTICATION',
          'wrong: ERR_SERVICE_AUTHENTICATION',
        ]);
      },
    );
  });
});

/** What a store holds of a chosen secret. */
async function hashOf(secretKey: string): Promise<object> {
  const storage = new InMemorySessionStorage();
  const sessions = new DistributedSessionManager({ serviceId: 'main', storage });
  await sessions.connect();
  await sessions.registerService({ serviceId: 'elsewhere', serviceName: 'Elsewhere', permissions: [], secretKey });
  const stored = await storage.services.find('elsewhere');
  await sessions.close();
  return stored!.secrets[0]!.hash;
}

/** Conflicts of peers, and what npm warns of about the library and its dependencies; Nest has warnings of its own. */
function warningsAboutTheLibrary(output: string): readonly string[] {
  const own = /ERESOLVE|peer|deprecated|nestjs-distributed-session|@node-rs|leven|lru-cache|tinyqueue|uuid/;
  return output.split('\n').filter((line) => own.test(line));
}
