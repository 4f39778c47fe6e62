import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

/** @import { LoadFnOutput, LoadHook, ResolveFnOutput, ResolveHook } from 'node:module' */

/**
 * Finds a module that TypeScript imports by the name of its compiled file.
 *
 * @param {Parameters<ResolveHook>} parameters
 * @returns {Promise<ResolveFnOutput>}
 */
export async function resolve(...[specifier, context, next]) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.endsWith('.js')) throw error;
    return next(specifier.replace(/\.js$/u, '.ts'), context);
  }
}

/**
 * Compiles TypeScript by the configuration in `.swcrc`, which Jest and the build use as well.
 *
 * @param {Parameters<LoadHook>} parameters
 * @returns {Promise<LoadFnOutput>}
 */
export async function load(...[url, context, next]) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), { sourceMaps: 'inline' });
  return { format: 'module', source: code, shortCircuit: true };
}
