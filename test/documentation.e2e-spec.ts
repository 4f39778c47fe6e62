import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { compile, pages, programsOf, readPage } from './support/documentation-program.js';
import { linkTargets } from './support/markdown.js';
import { ROOT } from './support/packed-library.js';

const programs = pages().flatMap(programsOf);
const links = pages().flatMap((page) =>
  linkTargets(readPage(page))
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ page, target })),
);

describe('the TypeScript in the documentation', () => {
  let faults: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    faults = compile(programs);
  }, 120_000);

  it.each(programs)('compiles: $name', ({ name }) => {
    expect(faults.get(name)).toEqual([]);
  });
});

describe('the links in the documentation', () => {
  it.each(links)('lead somewhere: $target of $page', ({ page, target }) => {
    const [path = '', anchor] = target.split('#');
    const linked = path === '' ? page : join(dirname(page), path);
    expect(existsSync(join(ROOT, linked))).toBe(true);
    expect(anchor === undefined || headingAnchors(linked).includes(anchor)).toBe(true);
  });
});

describe('the README of the repository', () => {
  it('shows the command that checks a fresh clone, and the one that starts the service', () => {
    expect(readPage('README.md')).toContain('npm ci && npm test');
    expect(readPage('README.md')).toContain('npm ci && npm start');
  });
});

/** The anchors that a page gives its headings. */
function headingAnchors(page: string): readonly string[] {
  return Array.from(readPage(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
