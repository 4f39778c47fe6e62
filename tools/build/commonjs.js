import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { build } from 'esbuild';

/** Dependencies that are only ES modules, which Jest cannot `require()` before Node 24.9: the files that use them contain them. */
const BUNDLED = /^(?:leven|tinyqueue|uuid)$/;

/**
 * Every import but those of bundled packages stays an import, so that all entry points share one copy of each file.
 *
 * @type {import('esbuild').Plugin}
 */
const separateFiles = {
  name: 'separate-files',
  setup(bundler) {
    bundler.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
      if (kind === 'entry-point' || BUNDLED.test(path) || importer.includes(`${sep}node_modules${sep}`))
        return undefined;
      return { path, external: true };
    });
  },
};

/**
 * Compiles a folder of ES modules into CommonJS, file by file, in its subfolder `commonjs`.
 *
 * @param {string} folder
 */
export async function emitCommonJs(folder) {
  const files = await readdir(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: files.filter((file) => file.endsWith('.js')).map((file) => join(folder, file)),
    outbase: folder,
    outdir: join(folder, 'commonjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    // In Jest's CommonJS mode, import() does not work, but require() does.
    supported: { 'dynamic-import': false },
    plugins: [separateFiles],
    // Two names for a class in one file are two names for esbuild, which numbers one of them.
    keepNames: true,
    // `import.meta.url` is undefined in CommonJS: this is how the library recognises the copy that was loaded.
    logOverride: { 'empty-import-meta': 'silent' },
    metafile: true,
    logLevel: 'warning',
  });
  const licenses = await licensesOf(Object.keys(metafile.inputs));
  await writeFile(join(folder, 'commonjs/package.json'), '{ "type": "commonjs" }\n');
  await writeFile(join(folder, 'commonjs/LICENSES.txt'), licenses.join('\n'));
}

/**
 * The licenses of the packages that files belong to, each under the package's name.
 *
 * @param {string[]} files
 */
async function licensesOf(files) {
  const folders = new Set(files.flatMap((file) => /^.*\/?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  return Promise.all(
    [...folders].toSorted().map(async (folder) => {
      const name = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
      if (name === undefined) throw new Error(`${folder} has no license file.`);
      return `${folder.split('node_modules/').at(-1)}\n\n${await readFile(join(folder, name), 'utf8')}`;
    }),
  );
}
