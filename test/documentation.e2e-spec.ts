import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as library from 'nestjs-distributed-session';
import type { OptionsError } from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { compile, pages, programsOf, readPage } from './support/documentation-program.js';
import { docstringExamples } from './support/docstring-examples.js';
import { codeIn, linkTargets, tableUnder } from './support/markdown.js';
import { ROOT } from './support/packed-library.js';

const examples = docstringExamples();
const programs = [...pages().flatMap(programsOf), ...examples];

/** Where the pages of the repository are on the web: the packed README links to them there. */
const ON_THE_WEB = `${readManifest().homepage.replace(/#.*/, '')}/blob/main/`;
const links = pages().flatMap((page) =>
  linkTargets(readPage(page))
    .filter((target) => target.startsWith(ON_THE_WEB) || !/^[a-z]+:/.test(target))
    .map((target) => ({ page, target })),
);

const STORAGES = {
  'docs/redis.md': (options: object) => new RedisSessionStorage(options),
  'docs/postgres.md': (options: object) => new PostgresSessionStorage(options),
};

describe('the TypeScript in the documentation', () => {
  let errors: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    errors = compile(programs);
  }, 120_000);

  it.each(programs)('compiles: $name', ({ name }) => {
    expect(errors.get(name)).toEqual([]);
  });
});

describe('the docstrings of the root entry', () => {
  const names = Object.entries<unknown>(library).flatMap(([name, value]) => {
    if (typeof value !== 'function' || value.prototype instanceof Error) return [];
    // An export may have another name than its declaration; Nest's decorators have none.
    return [value.name === '' ? name : value.name];
  });

  it.each(names)('have an example: %s', (name) => {
    expect(examples.map(({ subject }) => subject)).toContain(name);
  });
});

describe('the links in the documentation', () => {
  it.each(links)('have existing targets: $target in $page', ({ page, target }) => {
    const [path = '', anchor] = target.replace(ON_THE_WEB, '').split('#');
    const folder = target.startsWith(ON_THE_WEB) ? '' : dirname(page);
    const linked = path === '' ? page : join(folder, path);
    expect(existsSync(join(ROOT, linked))).toBe(true);
    expect(anchor === undefined || headingAnchors(linked).includes(anchor)).toBe(true);
  });
});

describe("the library's package.json", () => {
  const { homepage, bugs, repository } = readManifest();

  it('names the repository, its folder, the home page and where to report bugs', () => {
    const web = repository.url.replace(/^git\+(.*)\.git$/, '$1');
    expect(web).toMatch(/^https:\/\/github\.com\/[\w-]+\/[\w-]+$/);
    expect({ homepage, bugs }).toEqual({ homepage: `${web}#readme`, bugs: { url: `${web}/issues` } });
    expect(existsSync(join(ROOT, repository.directory, 'package.json'))).toBe(true);
  });
});

describe('the README of the repository', () => {
  it('shows the commands that start and check a fresh clone', () => {
    expect(readPage('README.md')).toContain('npm ci && npm test');
    expect(readPage('README.md')).toContain('npm ci && npm start');
  });
});

describe.each(Object.entries(STORAGES))('%s', (path, open) => {
  it('lists exactly the options of its storage', () => {
    const documented = tableUnder(readPage(path), 'Options').map(([name = '']) => codeIn(name)[0]!);
    expect(documented.toSorted()).toEqual(knownOptions(open).toSorted());
  });
});

describe('docs/redis.md', () => {
  it.each([
    'redis://user:password@host:6379/0',
    'redis-sentinel://user:password@host:26379,host:26379/0?name=mymaster',
    'redis-cluster://user:password@host:6379,host:6379',
  ])('documents the URL form %s, which is valid with and without TLS', (url) => {
    expect(readPage('docs/redis.md')).toContain(`\`${url}\``);
    for (const form of [url, url.replace('redis', 'rediss')]) {
      expect(new RedisSessionStorage({ url: form }).feedLagMs()).toBe(Infinity);
    }
  });
});

/** The options that the storage lists for an unknown option. */
function knownOptions(open: (options: object) => object): string[] {
  try {
    return Object.keys(open({ unknown: 1 }));
  } catch (error) {
    const [message = ''] = (error as OptionsError).errors;
    return message.split('Known options: ')[1]!.replace(/\.$/u, '').split(', ');
  }
}

/** The anchors of a page's headings. */
function headingAnchors(page: string): readonly string[] {
  return Array.from(readPage(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

interface Manifest {
  readonly homepage: string;
  readonly bugs: { readonly url: string };
  readonly repository: { readonly url: string; readonly directory: string };
}

function readManifest(): Manifest {
  return JSON.parse(readPage('libs/distributed-session/package.json')) as Manifest;
}
