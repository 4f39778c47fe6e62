import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import type { Program } from './documentation-program.js';
import { ROOT } from './packed-library.js';

const LIBRARY = join(ROOT, 'libs/distributed-session');

/** What the examples assume: an application's variables, and what Nest's own pages import. */
const CONTEXT = `
import {
  type CanActivate, Controller, DefaultValuePipe, Delete, Get, Inject, Param, UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { HealthCheckService } from '@nestjs/terminus';
import { PGlite } from '@electric-sql/pglite';
import type * as library from 'nestjs-distributed-session';
declare const app: import('@nestjs/common').INestApplication;
declare const builder: import('@nestjs/testing').TestingModuleBuilder;
declare const sessions: library.DistributedSessionManager;
declare const storage: library.SessionStorage;
declare const events: library.SessionEvents;
declare const service: library.ServiceCredential;
declare const sessionHealth: import('nestjs-distributed-session/terminus').DistributedSessionHealthIndicator;
declare const error: unknown;
declare const sessionId: string, currentSessionId: string, token: string, secret: string, keyId: string;
declare const offsetMs: number;
declare const request: { readonly ip: string; readonly cookies: Record<string, any> };
declare const response: {
  cookie(name: string, value: string, options: object): void;
  setHeader(name: string, value: string): void;
};
declare function redirectTo(path: string): void;
declare const MyStorage: new (database: object) => library.SessionStorage;
declare function freshDatabase(): object;
`;

/** An `@example`, as an editor shows it, in a program that imports what the example names. */
export interface DocstringExample extends Program {
  /** What the docstring describes. */
  readonly subject: string;
}

/** Every `@example` of the library. */
export function docstringExamples(): readonly DocstringExample[] {
  const imports = importsByName();
  return sourcesOf(join(LIBRARY, 'src')).flatMap((path) => examplesIn(path, imports));
}

function sourcesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((name) => join(folder, name));
}

/** The import of each name that an entry point exports. */
function importsByName(): ReadonlyMap<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(LIBRARY, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, string | Record<string, string>>;
  };
  const imports = Object.entries(exports).flatMap(([entry, conditions]) => {
    if (typeof conditions === 'string') return [];
    const source = join(LIBRARY, conditions['@distributed-session/source']!);
    return exportsOf(source).map(({ type, alias }): [string, string] => [
      alias,
      `import ${type}{ ${alias} } from '${join(name, entry)}';`,
    ]);
  });
  // The root entry is the first. Its names win.
  return new Map(imports.toReversed());
}

interface Export {
  /** `type ` or nothing. */
  readonly type: string;
  readonly alias: string;
}

/** What a file exports by lists, by `export *` and by declarations. */
function exportsOf(path: string): readonly Export[] {
  const source = readFileSync(path, 'utf8');
  const lists = Array.from(source.matchAll(/^export (type )?\{([^}]+)\}/gm)).flatMap(([, all = '', list = '']) =>
    Array.from(list.matchAll(/(type )?(?:\w+ as )?(\w+)\s*(?:,|$)/g), ([, own = '', alias = '']) => ({
      type: all || own,
      alias,
    })),
  );
  const stars = Array.from(source.matchAll(/^export \* from '(.+)\.js'/gm)).flatMap(([, name = '']) =>
    exportsOf(join(dirname(path), `${name}.ts`)),
  );
  const declared = Array.from(
    source.matchAll(/^export (?:abstract )?(class|function|const|interface|type) (\w+)/gm),
    ([, kind = '', alias = '']) => ({ type: kind === 'interface' || kind === 'type' ? 'type ' : '', alias }),
  );
  return [...lists, ...stars, ...declared];
}

function examplesIn(path: string, imports: ReadonlyMap<string, string>): readonly DocstringExample[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const examples: DocstringExample[] = [];
  const visit = (node: ts.Node): void => {
    for (const tag of ts.getJSDocTags(node)) {
      // The parser also returns the tags of a parent, for example those of a function for its parameters.
      if (tag.tagName.text !== 'example' || tag.parent.parent !== node) continue;
      const line = file.getLineAndCharacterOfPosition(tag.getStart()).line + 1;
      const name = `${relative(ROOT, path)}:${line}`;
      const fileName = join(ROOT, 'documented', `${name.replaceAll(/\W/g, '-')}.ts`);
      const code = programOf(ts.getTextOfJSDocComment(tag.comment) ?? '', imports);
      examples.push({ name, fileName, code, subject: subjectOf(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return examples;
}

function subjectOf(node: ts.Node): string {
  const named = ts.isVariableStatement(node) ? node.declarationList.declarations[0]! : (node as ts.NamedDeclaration);
  return named.name?.getText() ?? '';
}

/** In an editor, an example ends at a space before `@`, unless the line is a code span. */
function programOf(example: string, imports: ReadonlyMap<string, string>): string {
  const own = example.match(/^import .*$/gm) ?? [];
  const code = example.replaceAll(/^import .*$|^`|`$/gm, '');
  const isNamed = (name: string) => new RegExp(String.raw`\b${name}\b`).test(code);
  const used = [...imports].filter(([name]) => isNamed(name) && !own.join(' ').includes(name));
  const isMember = /^\w+\(.*\{/.test(code) && !code.endsWith(';');
  return [
    CONTEXT,
    ...own,
    ...used.map(([, text]) => text),
    isMember ? 'export class Example {' : 'export async function example(): Promise<unknown> {',
    code,
    isMember ? '}' : 'return undefined; }',
  ].join('\n');
}
