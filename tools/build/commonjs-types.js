import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { GenMapping, addMapping, toEncodedMap } from '@jridgewell/gen-mapping';
import ts from 'typescript';

/**
 * An export: `declaration` is where it is declared in the sources. A class is a value and a type.
 *
 * @typedef {{ name: string, isValue: boolean, declaration: ts.NamedDeclaration }} Exported
 */

/**
 * Writes the declarations of the CommonJS build's entry points. They refer to the declarations of the ES modules, so that
 * a class with private members has one type, however a program and the packages in it import the library.
 *
 * @param {string[]} sources The sources of the entry points.
 * @param {string} rootDir The folder of all sources.
 * @param {string} outDir The folder of the ES modules, in which `commonjs` is.
 */
export async function emitCommonJsTypes(sources, rootDir, outDir) {
  const program = ts.createProgram(sources, { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023 });
  for (const source of sources) {
    const entry = relative(rootDir, source).replace(/\.ts$/, '');
    const target = join(outDir, 'commonjs', `${entry}.d.ts`);
    const esModule = relative(dirname(target), join(outDir, `${entry}.js`));
    await mkdir(dirname(target), { recursive: true });
    await writeDeclarations(target, esModule, exportsOf(program, source));
  }
}

/**
 * @param {string} target
 * @param {string} esModule
 * @param {Exported[]} exported
 */
async function writeDeclarations(target, esModule, exported) {
  const from = `'${esModule}' with { 'resolution-mode': 'import' };`;
  const types = exported.filter(({ isValue }) => !isValue).map(({ name }) => name);
  const lines = [`import type * as esModule from ${from}`];
  if (types.length > 0) lines.push(`export type { ${types.join(', ')} } from ${from}`);

  // An editor that goes to a definition ends up in the source.
  const map = new GenMapping({ file: basename(target) });
  for (const { name, declaration } of exported.filter(({ isValue }) => isValue)) {
    lines.push(...documentationOf(declaration));
    for (const line of declarationsOf(name, declaration)) {
      const generated = { line: lines.push(line), column: line.indexOf(` ${name}`) + 1 };
      addMapping(map, { generated, ...positionOf(declaration, dirname(target)) });
    }
  }
  lines.push(`//# sourceMappingURL=${basename(target)}.map`, '');
  await writeFile(target, lines.join('\n'));
  await writeFile(`${target}.map`, JSON.stringify(toEncodedMap(map)));
}

/**
 * @param {ts.Program} program
 * @param {string} source
 * @returns {Exported[]}
 */
function exportsOf(program, source) {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(/** @type {ts.SourceFile} */ (program.getSourceFile(source)));
  return checker.getExportsOfModule(/** @type {ts.Symbol} */ (module)).map((symbol) => {
    const isTypeOnly = symbol.declarations?.some(
      (node) => ts.isExportSpecifier(node) && ts.isTypeOnlyExportDeclaration(node),
    );
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const isValue = !isTypeOnly && (target.flags & ts.SymbolFlags.Value) !== 0;
    const declaration = (isValue ? target.valueDeclaration : target.declarations?.[0]) ?? fail(symbol.name);
    return { name: symbol.name, isValue, declaration };
  });
}

/**
 * The value and, for a class, its type.
 *
 * @param {string} name
 * @param {ts.NamedDeclaration} declaration
 */
function declarationsOf(name, declaration) {
  const value = `export declare const ${name}: typeof esModule.${name};`;
  if (!ts.isClassDeclaration(declaration)) return [value];
  const parameters = declaration.typeParameters ?? [];
  const declared = listOf(parameters.map((parameter) => parameter.getText()));
  const passed = listOf(parameters.map((parameter) => parameter.name.text));
  return [value, `export type ${name}${declared} = esModule.${name}${passed};`];
}

/** @param {string[]} parameters */
function listOf(parameters) {
  return parameters.length > 0 ? `<${parameters.join(', ')}>` : '';
}

/**
 * The lines of the docstring, which belongs to the statement of a variable.
 *
 * @param {ts.NamedDeclaration} declaration
 */
function documentationOf(declaration) {
  const documented = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts
    .getJSDocCommentsAndTags(documented)
    .filter(ts.isJSDoc)
    .flatMap((comment) => comment.getText().split('\n'));
}

/**
 * @param {ts.NamedDeclaration} declaration
 * @param {string} folder
 */
function positionOf(declaration, folder) {
  const file = declaration.getSourceFile();
  const { line, character } = file.getLineAndCharacterOfPosition((declaration.name ?? declaration).getStart());
  return { source: relative(folder, file.fileName), original: { line: line + 1, column: character } };
}

/**
 * @param {string} name
 * @returns {never}
 */
function fail(name) {
  throw new Error(`The export ${name} has no declaration.`);
}
