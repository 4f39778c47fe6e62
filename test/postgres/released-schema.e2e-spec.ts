import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { MIGRATIONS } from '../../libs/distributed-session/src/storage/postgres/schema/migrations/migrations.js';
import { SchemaNames } from '../../libs/distributed-session/src/storage/postgres/schema/schema-names.js';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { describeSchema } from '../support/postgres/schema-description.js';

/**
 * With this in the environment the files are written anew, as they must be after a migration was added. What they say of
 * a migration that was released must not change by that.
 */
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
    `test/postgres/${name} says otherwise. A migration that was released never changes, and changes of the schema are ` +
      `new migrations. After one was added, or one was changed that no release has, run this test with ${RENEW}=1 and ` +
      `commit the file.\n${changes.join('\n')}`,
  );
}

describe('what databases of users have', () => {
  test('each migration is the one that was released', async () => {
    const names = new SchemaNames('public', 'distributed_');
    const lines = MIGRATIONS.map((migration) => {
      const digest = createHash('sha256').update(migration.statements(names).join(';\n')).digest('hex');
      return `${digest}  ${String(migration.version).padStart(4, '0')}-${migration.name}\n`;
    });
    await expectFile('migrations.sha256', lines.join(''));
    expect(lines).toHaveLength(MIGRATIONS.length);
  });

  test('the schema is what its migrations made it', async () => {
    const storage = new PostgresSessionStorage({ url: server.url });
    await storage.connect();
    await storage.close();
    const schema = await server.use(describeSchema);
    expect(schema).toContain('table distributed_session ');
    await expectFile('schema.snapshot.txt', schema);
  });
});
