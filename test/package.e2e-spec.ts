import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload, type SourceMapping } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codeBlocks, linkTargets } from './support/markdown.js';
import { packagesReached } from './support/module-graph.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { LIBRARY, type PackedLibrary, packLibrary } from './support/packed-library.js';
import type { ProgramResult } from './support/run-program.js';
import { compilePrograms, installApplication, runCompiled, writeProgram } from './support/sample-app.js';
import { isFullTier } from './support/tier.js';

const LIBRARY_NAME = 'nestjs-distributed-session';
const MINUTE = 60_000;
const PAGES = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];

interface Application {
  /** The major version of Nest. */
  readonly nest: number;
  readonly packages: readonly string[];
  readonly programs: readonly ('module' | 'commonjs' | 'redis' | 'postgres')[];
}

/** The applications that install the library: on Nest 12, and in the full tier also on Nest 11, from CommonJS as well. */
const APPLICATIONS: readonly Application[] = [
  { nest: 12, packages: ['ioredis@6', 'pg@8'], programs: ['module', 'redis', 'postgres'] },
  ...(isFullTier ? [{ nest: 11, packages: [], programs: ['module', 'commonjs'] } as const] : []),
];
const EXAMPLES = APPLICATIONS.flatMap(({ nest, programs }) =>
  programs.filter((name) => name === 'module' || name === 'commonjs').map((type) => ({ nest, type })),
);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

/** The first block in a language in the library's README. */
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
  const compiled = new Map<number, ProgramResult>();

  beforeAll(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'packed-library-'));
    packed = await packLibrary(temporary);
    manifest = JSON.parse(await readFile(join(packed.folder, 'package.json'), 'utf8')) as Manifest;
    optionalPeers = Object.keys(manifest.peerDependenciesMeta).filter(
      (name) => manifest.peerDependenciesMeta[name]!.optional,
    );
    const [, , ...packages] = (await firstBlock('sh')).trim().split(/\s+/);
    const installed = packages.map((name) => (name === LIBRARY_NAME ? packed.tarball : name));
    [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
    const example = await firstBlock('ts');
    const sources = {
      module: example,
      commonjs: example,
      redis: storageProgram('Redis', redis.url),
      postgres: storageProgram('Postgres', postgres.url),
    };
    const results = APPLICATIONS.map(async ({ nest, packages: own, programs }) => {
      const folder = join(temporary, `nest-${nest}`);
      await installApplication(folder, nest, [...installed, ...own]);
      for (const name of programs) {
        await writeProgram(join(folder, name), name === 'commonjs' ? name : 'module', sources[name]);
      }
      compiled.set(nest, await compilePrograms(folder, programs));
    });
    await Promise.all(results);
  }, 10 * MINUTE);

  afterAll(async () => {
    await redis?.stop();
    await postgres?.stop();
    await rm(temporary, { recursive: true, force: true });
  });

  it('is installed by the first command of the README', async () => {
    expect(await firstBlock('sh')).toMatch(new RegExp(`^npm install ${LIBRARY_NAME}\\b`));
  });

  it('contains both builds, their types, maps and sources, package.json and the pages, and nothing else', () => {
    const expected = [...PAGES, 'dist/commonjs/package.json', 'dist/commonjs/LICENSES.txt'];
    const code = /^(?:dist\/.+\.(?:js|d\.ts)(?:\.map)?|src\/.+\.ts)$/;
    expect(packed.files.filter((path) => !code.test(path)).toSorted()).toEqual(expected.toSorted());
    expect(packed.files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'src/index.ts']));
  });

  it('is less than 1.5 MB to download', () => {
    expect(packed.size).toBeLessThan(1_500_000);
  });

  it('contains the sources of all of its maps', async () => {
    const maps = packed.files.filter((path) => path.endsWith('.map'));
    expect(maps).toEqual(expect.arrayContaining(['dist/index.d.ts.map', 'dist/commonjs/index.d.ts.map']));
    for (const map of maps) {
      const { sources } = JSON.parse(await readFile(join(packed.folder, map), 'utf8')) as { sources: string[] };
      expect(sources).not.toEqual([]);
      const paths = sources.map((source) => join(dirname(map), source));
      expect(paths.filter((path) => !packed.files.includes(path))).toEqual([]);
    }
  });

  it('leads an editor from the declarations of CommonJS to the sources', async () => {
    const declarations = join(packed.folder, 'dist/commonjs/index.d.ts');
    const map = new SourceMap(JSON.parse(await readFile(`${declarations}.map`, 'utf8')) as SourceMapPayload);
    const lines = (await readFile(declarations, 'utf8')).split('\n');
    let classes = 0;
    for (const [index, line] of lines.entries()) {
      const name = /^export (?:declare const|type) (\w+)/.exec(line)?.[1];
      if (name === undefined) continue;
      const entry = map.findEntry(index, line.indexOf(` ${name}`) + 1) as SourceMapping;
      const source = await readFile(join(dirname(declarations), entry.originalSource), 'utf8');
      expect(source.split('\n')[entry.originalLine]!.slice(entry.originalColumn)).toMatch(new RegExp(`^${name}\\b`));
      classes += Number(line.startsWith('export type'));
    }
    expect(classes).toBeGreaterThan(20);
  });

  it('has a map for every declaration', () => {
    const declarations = packed.files.filter((path) => path.endsWith('.d.ts'));
    expect(declarations.filter((path) => !packed.files.includes(`${path}.map`))).toEqual([]);
  });

  it.each(PAGES.filter((page) => page.endsWith('.md')))(
    'links from %s only to files in it and to the web',
    async (page) => {
      const targets = linkTargets(await readFile(join(packed.folder, page), 'utf8'));
      expect(targets).not.toEqual([]);
      const files = targets.filter((target) => !/^(?:https:|#)/.test(target));
      expect(files.filter((target) => !packed.files.includes(target))).toEqual([]);
    },
  );

  it('does not contain its tests', () => {
    expect(packed.files.filter((path) => /\.(?:spec|e2e-spec)\./.test(path))).toEqual([]);
  });

  describe.each(['dist/index.d.ts', 'dist/index.js'])('%s', (entry) => {
    it('does not import an optional peer', () => {
      const reached = packagesReached(join(packed.folder, entry), entry.endsWith('.d.ts'));
      expect(optionalPeers.filter((name) => reached.has(name))).toEqual([]);
    });

    it('imports only Node, dependencies and required peers', () => {
      const reached = packagesReached(join(packed.folder, entry), entry.endsWith('.d.ts'));
      const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
      const undeclared = [...reached].filter((name) => !name.startsWith('node:') && !declared.includes(name));
      expect(undeclared).toEqual([]);
      expect(reached).toContain('@nestjs/common');
    });
  });

  it('imports Terminus only from its own entry point', () => {
    expect(packagesReached(join(packed.folder, 'dist/health/index.d.ts'), true)).toContain('@nestjs/terminus');
  });

  describe.each(APPLICATIONS)('in an application on Nest $nest', ({ nest }) => {
    it('compiles with the types of all packages checked', () => {
      expect(compiled.get(nest)).toEqual({ code: 0, stdout: '', stderr: '' });
    });
  });

  describe.each(EXAMPLES)("the README's first example on Nest $nest, type $type", ({ nest, type }) => {
    const folder = () => join(temporary, `nest-${nest}`, type);

    it(
      'prints the output that the README shows',
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
    ['PostgreSQL', 'pg but not its types'],
  ])(
    'works on %s in an application that installs %s',
    async (kind) => {
      const result = await runCompiled(join(temporary, 'nest-12', kind === 'Redis' ? 'redis' : 'postgres'));
      // A storage that has just created its tables logs this first.
      expect(result).toEqual({ code: 0, stdout: expect.stringMatching(/^(.*LOG.*\n)?alice true\n$/), stderr: '' });
    },
    MINUTE,
  );
});

const storageProgram = (kind: 'Redis' | 'Postgres', url: string) => `
import { DistributedSessionManager, SessionStorage } from '${LIBRARY_NAME}';
import { ${kind}SessionStorage, type ${kind}SessionStorageOptions } from '${LIBRARY_NAME}/${kind.toLowerCase()}';

const options: ${kind}SessionStorageOptions = { url: '${url}' };
const storage: SessionStorage = new ${kind}SessionStorage(options);
const sessions = new DistributedSessionManager({ serviceId: 'sample', storage });
await sessions.connect();
const { credential } = await sessions.createSession('alice');
const { loginId } = await sessions.verifySession(credential);
console.log(loginId, storage instanceof SessionStorage);
await sessions.close();
`;
