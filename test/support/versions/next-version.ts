import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '@distributed-session/test-servers/run-command.js';
import { ROOT } from '../packed-library.js';

const LIBRARY = 'libs/distributed-session';
const SOURCES = `${LIBRARY}/src`;
/** What the build of the library reads. */
const COPIED = [
  SOURCES,
  `${LIBRARY}/package.json`,
  `${LIBRARY}/tsconfig.build.json`,
  'tools/build',
  'tsconfig.base.json',
  'package.json',
  'package-lock.json',
  '.swcrc',
  'CHANGELOG.md',
];

/** A text of a source file that occurs once, and what the next version has instead. */
type Edit = readonly [file: string, text: string, next: string];

/**
 * The next version of the library, in which everything moved on by one: sessions have a field more, and those with the
 * attribute `next` another format; records, the schema, functions, end reasons, changes, permissions.
 *
 * By environment variables, `RECORD_FORMAT=3` writes records of the next format, and `OLDEST` refuses to share the store
 * with this version.
 */
const EDITS: readonly Edit[] = [
  ['session/session-payload.ts', 'const FORMAT = 2;', 'const FORMAT = 3;'],
  [
    'session/session-payload.ts',
    '{ f: FORMAT, a: attributes,',
    "{ f: 'next' in attributes ? FORMAT : 2, z: ['next'], a: attributes,",
  ],
  ['session/session-payload.ts', 'if (format !== FORMAT && ', 'if (format !== FORMAT && format !== 2 && '],
  ['session/session-payload.ts', 'c: client, ...others }', 'c: client, z, ...others }'],
  [
    'storage/redis/records/stored-session.ts',
    'export const FORMAT = 2;',
    "export const FORMAT = Number(process.env['RECORD_FORMAT'] ?? 2);",
  ],
  [
    'storage/redis/records/stored-session.ts',
    "= { format: 2, release: '0.1.0' };",
    "= { format: process.env['OLDEST'] ? 3 : 2, release: '0.2.0' };",
  ],
  [
    'storage/redis/scripts/touch-sessions.script.ts',
    '    keep(record)\n',
    "    keep(record)\n    publish('T', record.identity)\n",
  ],
  [
    'storage/postgres/schema/migrations/migrations.ts',
    '  compatibilityMigration,\n];',
    `  compatibilityMigration,
  {
    version: 7,
    name: 'next',
    oldest: { schema: process.env['OLDEST'] ? 7 : 6, release: '0.2.0' },
    statements: ['ALTER TABLE {session} ADD COLUMN mood text'],
  },
];`,
  ],
  // A function with another name; the release of the oldest schema still calls the earlier one.
  [
    'storage/postgres/functions/touch-sessions.function.ts',
    'export const touchSessions = new PostgresFunction({',
    'const definition = {',
  ],
  [
    'storage/postgres/functions/touch-sessions.function.ts',
    '`,\n});',
    `\`,
};
export const earlierTouchSessions = new PostgresFunction(definition);
export const touchSessions = new PostgresFunction({ ...definition, name: 'touch-sessions-of-next' });`,
  ],
  [
    'storage/postgres/functions/functions.ts',
    'import { touchSessions }',
    'import { earlierTouchSessions, touchSessions }',
  ],
  ['storage/postgres/functions/functions.ts', '  touchSessions,\n', '  touchSessions,\n  earlierTouchSessions,\n'],
  [
    'storage/postgres/functions/replace-session.function.ts',
    "  PERFORM {queue_session_change}('session.updated'",
    "  PERFORM {queue_session_change}('session.painted'::text, v_session, p_by, v_locked.now, p_origin);\n  PERFORM {queue_session_change}('session.updated'",
  ],
  ['model/end-reason.ts', "  'revoked',\n] as const;", "  'revoked',\n  'device-mismatch',\n] as const;"],
  [
    'model/end-reason.ts',
    "'replaced', 'revoked'] as const satisfies",
    "'replaced', 'revoked', 'device-mismatch'] as const satisfies",
  ],
  ['service/permission.ts', "  'service.manage',\n] as const;", "  'service.manage',\n  'session.audit',\n] as const;"],
  ['service/permission.ts', 'const NAME = /^(?:', 'const NAME = /^(?:[a-z.]+@[a-z]+|'],
];

/** The folder with the built modules of this version. It must be fresh. */
export const THIS_VERSION = join(ROOT, LIBRARY, 'dist');

/** Builds the next version in a temporary folder, as this one is built. */
export async function buildNextVersion(): Promise<{ readonly dist: string; readonly remove: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'next-version-'));
  const remove = async () => rm(root, { recursive: true, force: true });
  try {
    for (const path of COPIED) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await cp(join(ROOT, path), join(root, path), { recursive: true });
    }
    for (const folder of ['node_modules', `${LIBRARY}/node_modules`])
      await symlink(join(ROOT, folder), join(root, folder));
    for (const [file, text, next] of EDITS) await edit(join(root, SOURCES, file), text, next);
    const { passed, output } = await runCommand(process.execPath, ['tools/build/build.js', 'library'], { cwd: root });
    if (!passed) throw new Error(`The next version cannot be built:\n${output}`);
    return { dist: join(root, LIBRARY, 'dist'), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function edit(file: string, text: string, next: string): Promise<void> {
  const parts = (await readFile(file, 'utf8')).split(text);
  if (parts.length !== 2)
    throw new Error(`${file} contains "${text}" ${parts.length - 1} times: adapt the next version.`);
  await writeFile(file, parts.join(next));
}
