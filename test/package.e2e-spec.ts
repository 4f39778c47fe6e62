import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codeBlocks } from './support/markdown.js';
import { packagesReached } from './support/module-graph.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { LIBRARY, type PackedLibrary, packLibrary } from './support/packed-library.js';
import type { ProgramResult } from './support/run-program.js';
import { compilePrograms, installApplication, runCompiled, writeProgram } from './support/sample-app.js';

const LIBRARY_NAME = 'nestjs-distributed-session';
const MINUTE = 60_000;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

/** The first block of a language in the library's README. */
async function firstBlock(language: string): Promise<string> {
  const blocks = codeBlocks(await readFile(join(LIBRARY, 'README.md'), 'utf8'));
  return blocks.find((block) => block.language === language)!.code;
}

describe('the packed library', () => {
  let temporary: string;
  let packed: PackedLibrary;
  let manifest: Manifest;
  let optionalPeers: readonly string[];
  let redis: RedisServer | undefined;
  let postgres: PostgresServer | undefined;
  let compiled: Readonly<Record<11 | 12, ProgramResult>>;

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'packed-library-'));
    packed = await packLibrary(temporary);
    manifest = JSON.parse(await readFile(join(packed.folder, 'package.json'), 'utf8')) as Manifest;
    optionalPeers = Object.keys(manifest.peerDependenciesMeta).filter(
      (name) => manifest.peerDependenciesMeta[name]!.optional,
    );
    const [, , ...packages] = (await firstBlock('sh')).trim().split(/\s+/);
    const installed = packages.map((name) => (name === LIBRARY_NAME ? packed.tarball : name));
    await Promise.all([
      installApplication(join(temporary, 'nest-11'), 11, installed),
      installApplication(join(temporary, 'nest-12'), 12, [...installed, 'ioredis@6', 'pg@8']),
    ]);
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    const example = await firstBlock('ts');
    await writeProgram(join(temporary, 'nest-11/module'), 'module', example);
    await writeProgram(join(temporary, 'nest-11/commonjs'), 'commonjs', example);
    await writeProgram(join(temporary, 'nest-12/module'), 'module', example);
    await writeProgram(join(temporary, 'nest-12/redis'), 'module', storeProgram('Redis', redis.url));
    await writeProgram(join(temporary, 'nest-12/postgres'), 'module', storeProgram('Postgres', postgres.url));
    compiled = {
      11: await compilePrograms(join(temporary, 'nest-11'), ['module', 'commonjs']),
      12: await compilePrograms(join(temporary, 'nest-12'), ['module', 'redis', 'postgres']),
    };
  }, 10 * MINUTE);

  afterAll(async () => {
    await redis?.stop();
    await postgres?.stop();
    await rm(temporary, { recursive: true, force: true });
  });

  it('is installed by the command that the README begins with', async () => {
    expect(await firstBlock('sh')).toMatch(new RegExp(`^npm install ${LIBRARY_NAME}\\b`));
  });

  it('holds the compiled code, its types, package.json, README and LICENSE, and nothing else', () => {
    const expected = /^(?:package\.json|README\.md|LICENSE|dist\/.+\.(?:js|d\.ts))$/;
    expect(packed.files.filter((path) => !expected.test(path))).toEqual([]);
    expect(packed.files).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']),
    );
  });

  it('holds no tests of its own', () => {
    expect(packed.files.filter((path) => /\.(?:spec|e2e-spec)\./.test(path))).toEqual([]);
  });

  describe.each(['dist/index.d.ts', 'dist/index.js'])('%s', (entry) => {
    it('reaches no optional peer', () => {
      const reached = packagesReached(join(packed.folder, entry), entry.endsWith('.d.ts'));
      expect(optionalPeers.filter((name) => reached.has(name))).toEqual([]);
    });

    it('reaches only Node, dependencies and required peers', () => {
      const reached = packagesReached(join(packed.folder, entry), entry.endsWith('.d.ts'));
      const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
      const undeclared = [...reached].filter((name) => !name.startsWith('node:') && !declared.includes(name));
      expect(undeclared).toEqual([]);
      expect(reached).toContain('@nestjs/common');
    });
  });

  it('keeps Terminus behind an entry point of its own', () => {
    expect(packagesReached(join(packed.folder, 'dist/health/index.d.ts'), true)).toContain('@nestjs/terminus');
  });

  describe.each([11, 12] as const)('in an application on Nest %s', (nest) => {
    it('compiles, the types of all packages included', () => {
      expect(compiled[nest]).toEqual({ code: 0, stdout: '', stderr: '' });
    });
  });

  describe.each([
    { nest: 12, type: 'module' },
    { nest: 11, type: 'module' },
    { nest: 11, type: 'commonjs' },
  ] as const)("the README's first example on Nest $nest, type $type", ({ nest, type }) => {
    const folder = () => join(temporary, `nest-${nest}`, type);

    it(
      'prints what the README says',
      async () => {
        expect(await runCompiled(folder())).toEqual({ code: 0, stdout: await firstBlock('text'), stderr: '' });
      },
      MINUTE,
    );

    it(`is ${type === 'module' ? 'imported' : 'required'}`, async () => {
      const javaScript = await readFile(join(folder(), 'main.js'), 'utf8');
      const loading = type === 'module' ? `from '${LIBRARY_NAME}'` : `require("${LIBRARY_NAME}")`;
      expect(javaScript).toContain(loading);
    });
  });

  it.each([
    ['Redis', 'ioredis'],
    ['PostgreSQL', 'pg, and not its types'],
  ])(
    'works on %s, in an application that has %s',
    async (store) => {
      const result = await runCompiled(join(temporary, 'nest-12', store === 'Redis' ? 'redis' : 'postgres'));
      // A storage that has just made its tables says so before.
      expect(result).toEqual({ code: 0, stdout: expect.stringMatching(/^(.*LOG.*\n)?alice true\n$/), stderr: '' });
    },
    MINUTE,
  );
});

const storeProgram = (store: 'Redis' | 'Postgres', url: string) => `
import { DistributedSessionManager, SessionStorage } from '${LIBRARY_NAME}';
import { ${store}SessionStorage, type ${store}SessionStorageOptions } from '${LIBRARY_NAME}/${store.toLowerCase()}';

const options: ${store}SessionStorageOptions = { url: '${url}' };
const storage: SessionStorage = new ${store}SessionStorage(options);
const sessions = new DistributedSessionManager({ serviceId: 'sample', storage });
await sessions.connect();
const { credential } = await sessions.createSession('alice');
const { loginId } = await sessions.verifySession(credential);
console.log(loginId, storage instanceof SessionStorage);
await sessions.close();
`;
