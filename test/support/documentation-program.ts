import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { codeBlocks } from './markdown.js';
import { ROOT } from './packed-library.js';

/** A program in the documentation. In a page: a `ts` block and the `ts continued` blocks after it, joined. */
export interface Program {
  /** For example `README.md:12`: the file and the line of the first block. */
  readonly name: string;
  /** A file name in the workspace, so that imports resolve as in its code. The file is never written. */
  readonly fileName: string;
  readonly code: string;
}

/** All pages of the repository, relative to its root. */
export function pages(): readonly string[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  return [
    ...top,
    'libs/distributed-session/README.md',
    'examples/README.md',
    ...docs.map((name) => join('docs', name)),
  ];
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** The programs of a page. A `ts continued` block without a preceding block is an error. */
export function programsOf(page: string): readonly Program[] {
  const programs: Program[] = [];
  for (const { language, note, code, line } of codeBlocks(readPage(page))) {
    if (language !== 'ts') continue;
    const name = `${page}:${line}`;
    if (note === 'continued') {
      const begun = programs.pop();
      if (!begun) throw new Error(`${name} is a continued block without a preceding ts block.`);
      programs.push({ ...begun, code: `${begun.code}\n${code}` });
    } else {
      programs.push({ name, fileName: join(ROOT, 'documented', `${page.replaceAll(/\W/g, '-')}-${line}.ts`), code });
    }
  }
  return programs;
}

/** Compiles programs together with the workspace's options; returns the errors of each, by name. */
export function compile(programs: readonly Program[]): ReadonlyMap<string, readonly string[]> {
  const options: ts.CompilerOptions = { ...workspaceOptions(), noUnusedLocals: false, noUnusedParameters: false };
  const sources = new Map(programs.map(({ fileName, code }) => [fileName, code]));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (fileName) => sources.has(fileName) || disk.fileExists(fileName),
    readFile: (fileName) => sources.get(fileName) ?? disk.readFile(fileName),
    getSourceFile: (fileName, ...rest) => {
      const source = sources.get(fileName);
      return source === undefined
        ? disk.getSourceFile(fileName, ...rest)
        : ts.createSourceFile(fileName, source, rest[0]);
    },
  };
  const program = ts.createProgram({ rootNames: [...sources.keys()], options, host });
  return new Map(
    programs.map(({ name, fileName }) => [name, errorsOf(program, program.getSourceFile(fileName))] as const),
  );
}

function errorsOf(program: ts.Program, file: ts.SourceFile | undefined): readonly string[] {
  return ts.getPreEmitDiagnostics(program, file).map(({ messageText, start }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : '?';
    return `line ${line} of the program: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

function workspaceOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  return ts.parseJsonConfigFileContent(config, ts.sys, ROOT).options;
}
