import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

/** @import { LoadFnOutput, LoadHook, ResolveFnOutput, ResolveHook } from 'node:module' */

/** As Jest does it for the tests. */
const SWC = /** @type {const} */ ({
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
});

/**
 * A module that TypeScript names by what it is compiled to.
 *
 * @param {Parameters<ResolveHook>} parameters
 * @returns {Promise<ResolveFnOutput>}
 */
export async function resolve(...[specifier, context, next]) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.startsWith('.') || !specifier.endsWith('.js')) throw error;
    return next(specifier.replace(/\.js$/u, '.ts'), context);
  }
}

/**
 * @param {Parameters<LoadHook>} parameters
 * @returns {Promise<LoadFnOutput>}
 */
export async function load(...[url, context, next]) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), { ...SWC, filename });
  return { format: 'module', source: code, shortCircuit: true };
}
