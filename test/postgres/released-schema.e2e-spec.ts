import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { FUNCTIONS } from '../../libs/distributed-session/src/storage/postgres/functions/functions.js';
import { MIGRATIONS } from '../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { describeSchema } from '../support/postgres/schema-description.js';

/** With this environment variable set, the files are rewritten, as is required after a migration was added. */
const RENEW = 'RENEW_RELEASED_SCHEMA';

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
});

afterAll(async () => {
  await server.stop();
});

/** Compares with the committed file of this name. */
async function expectFile(name: string, actual: string): Promise<void> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  if (process.env[RENEW]) await writeFile(file, actual);
  const committed = await readFile(file, 'utf8');
  if (actual === committed) return;
  const [are, were] = [actual, committed].map((text) => text.split('\n')) as [string[], string[]];
  const changes = [
    ...were.filter((line) => !are.includes(line)).map((line) => `- ${line}`),
    ...are.filter((line) => !were.includes(line)).map((line) => `+ ${line}`),
  ];
  throw new Error(
    `test/postgres/${name} differs. A released migration never changes: a change of the tables is a new migration, and a ` +
      `change of the functions adds one without statements, unless the last one is not released. A function that the ` +
      `release of Migration.oldest calls keeps its parameters and its result, and stays in FUNCTIONS. Then run this test with ` +
      `${RENEW}=1 and commit the file.\n${changes.join('\n')}`,
  );
}

const sha256 = (texts: readonly string[]) => createHash('sha256').update(texts.join(';\n')).digest('hex');

describe('the schema in the databases of users', () => {
  test('comes from the migrations that were released, and from the functions of the last version', async () => {
    const lines = MIGRATIONS.map(
      ({ version, name, statements }) => `${sha256(statements)}  ${String(version).padStart(4, '0')}-${name}\n`,
    );
    const definitions = FUNCTIONS.map(({ definition }) => definition);
    lines.push(`${sha256(definitions)}  functions of version ${String(MIGRATIONS.length).padStart(4, '0')}\n`);
    await expectFile('migrations.sha256', lines.join(''));
    expect(lines).toHaveLength(MIGRATIONS.length + 1);
  });

  test('is the one that a start on an empty database creates', async () => {
    const storage = new PostgresSessionStorage({ url: server.url });
    await storage.connect();
    await storage.close();
    const schema = await server.use(describeSchema);
    expect(schema).toContain('table distributed_session ');
    await expectFile('schema.snapshot.txt', schema);
  });
});
