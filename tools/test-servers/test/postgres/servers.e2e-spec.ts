import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import ts from 'typescript';
import { eventually } from '../../src/eventually.js';
import { freePort } from '../../src/free-port.js';
import { ROOT } from '../../../../test/support/packed-library.js';
import { copyTemplate, makeFolder, writeSettings } from '../../src/postgres/cluster-folder.js';
import { withPostgres } from '../../src/postgres/postgres-connection.js';
import { PostgresServer, type PostgresServerOptions } from '../../src/postgres/postgres-server.js';
import { childrenOf } from '../../src/postgres/process-children.js';
import { findTemplate, PASSWORD } from '../../src/postgres/template-cluster.js';

const servers: PostgresServer[] = [];

async function startServer(options?: PostgresServerOptions): Promise<PostgresServer> {
  const server = await PostgresServer.start(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function whoAmI(url: string): Promise<unknown> {
  return withPostgres(url, async (client) => (await client.query('SELECT user')).rows);
}

/** Opens a connection that the test will lose. */
async function connect(server: PostgresServer): Promise<Client> {
  const client = new Client(server.url);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('PostgresServer', () => {
  it('responds once it has started and leaves no process or folder behind', async () => {
    const server = await startServer();
    expect(await server.query('SELECT $1::int + 1 AS sum', [1])).toEqual([{ sum: 2 }]);
    expect(await server.query('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    const pids = [server.pid, ...childrenOf(server.pid)];
    expect(pids.length).toBeGreaterThan(3);
    await server.stop();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(server.folder)).toBe(false);
  });

  it("rejects with the server's log if the server ends during its start", async () => {
    await expect(startServer({ settings: { no_such_setting: 1 } })).rejects.toThrow('no_such_setting');
  });

  it('has exactly the committed data when it is killed and restarted', async () => {
    const server = await startServer();
    await server.query('CREATE TABLE t (n int)');
    const [open, busy] = [await connect(server), await connect(server)];
    await server.query('INSERT INTO t VALUES (1)');
    await open.query('BEGIN; INSERT INTO t VALUES (2)');
    // Such a process does not notice the end of its server.
    const loss = busy.query('DO $$ BEGIN LOOP END LOOP; END $$').catch(String);
    await eventually(async () => {
      const rows = await server.query("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO%'");
      return rows.length === 1;
    });
    await server.kill();
    expect(await loss).toContain('terminated');
    expect(server.isAlive).toBe(false);
    await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(server.isAlive).toBe(true);
    expect(await server.query('SELECT n FROM t')).toEqual([{ n: 1 }]);
    expect(await server.readLog()).toContain('automatic recovery in progress');
  });

  it('shuts down before it restarts', async () => {
    const server = await startServer();
    const { pid } = server;
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await server.readLog()).not.toContain('automatic recovery in progress');
  });

  it('does not respond while frozen, even to connected clients, and then resumes', async () => {
    const [server, other] = await Promise.all([startServer(), startServer()]);
    await server.use(async (client) => {
      server.freeze();
      expect(server.isAlive).toBe(false);
      let answers = 0;
      const replies = [client.query('SELECT 1'), server.query('SELECT 1')].map((reply) => reply.then(() => answers++));
      // As long as another server takes to answer many later requests.
      for (let n = 0; n < 20; n++) expect(await other.query('SELECT 2 AS n')).toEqual([{ n: 2 }]);
      expect(answers).toBe(0);
      server.resume();
      await Promise.all(replies);
      expect(answers).toBe(2);
    });
  });

  it('stops while it is frozen', async () => {
    const server = await startServer();
    server.freeze();
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
  });

  it('dumps the content of its databases', async () => {
    const server = await startServer();
    const url = await server.createDatabase('Second "one"');
    await server.query('CREATE TABLE t (id int, bytes bytea, many bytea[], doc jsonb)');
    const bytes = Buffer.from([0xff, 0x00, ...Buffer.from('needle-1'), 0xfe]);
    const values = [bytes, [Buffer.from('needle-2')], { key: 'needle-3' }];
    await server.query('INSERT INTO t VALUES (7, $1, $2, $3)', values);
    await withPostgres(url, async (client) => {
      await client.query(`CREATE SCHEMA "Other"; CREATE TABLE "Other"."T" AS SELECT 'needle-4' AS text`);
    });
    const dump = await server.dump();
    for (const number of [1, 2, 3, 4]) expect(dump).toContain(`needle-${number}`);
    expect(dump).toContain(`bytes=\\x${bytes.toString('hex')} (`);
    expect(await server.dump('Second "one"')).toBe('Other.T: text=needle-4');
  });

  it('returns the statements of an application or a user', async () => {
    const server = await startServer({ settings: { log_statement: 'all' } });
    const client = new Client({ connectionString: server.url, application_name: 'counted: 1' });
    await client.connect();
    await client.query('BEGIN; SELECT 1;\n\tCOMMIT');
    await client.query('SELECT $1::text', ['a']);
    await client.query({ name: 'mine', text: 'SELECT $1::int', values: [1] });
    await client.query({ name: 'mine', text: 'SELECT $1::int', values: [2] });
    await client.end();
    await server.query('SELECT 3');
    const sender = { user: 'postgres', database: 'postgres', applicationName: 'counted: 1' };
    expect(await server.statementsOf('counted: 1')).toEqual([
      { ...sender, text: 'BEGIN; SELECT 1;\n\tCOMMIT' },
      { ...sender, text: 'SELECT $1::text', preparedAs: '<unnamed>' },
      { ...sender, text: 'SELECT $1::int', preparedAs: 'mine' },
      { ...sender, text: 'SELECT $1::int', preparedAs: 'mine' },
    ]);
    expect(await server.statementsOf('postgres')).toHaveLength(5);
    expect(await server.statementsOf('nobody')).toEqual([]);
  });

  it('rejects a request for statements that are not logged', async () => {
    const server = await startServer();
    await expect(server.statementsOf('tests')).rejects.toThrow('log_statement');
  });

  it('supports TLS with a certificate that a client must trust', async () => {
    const server = await startServer({ ssl: true });
    const isEncrypted = async (ssl: object): Promise<unknown> => {
      const client = new Client({ connectionString: server.url, ssl });
      try {
        await client.connect();
        return (await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).rows;
      } finally {
        await client.end();
      }
    };
    expect(await isEncrypted({ ca: server.certificate })).toEqual([{ ssl: true }]);
    await expect(isEncrypted({})).rejects.toThrow('self-signed certificate');
  });

  it("admits clients only with the password, unless the test's lines allow more", async () => {
    const server = await startServer({ hba: 'host all guest 127.0.0.1/32 trust\nhost all outcast all reject' });
    await server.query('CREATE ROLE guest LOGIN; CREATE ROLE outcast LOGIN');
    const urlOf = (user: string) => server.url.replace('postgres:of-the-tests', user);
    expect(await whoAmI(urlOf('guest'))).toEqual([{ user: 'guest' }]);
    await expect(whoAmI(urlOf('outcast'))).rejects.toThrow('pg_hba.conf rejects');
    await expect(whoAmI(urlOf('postgres:wrong'))).rejects.toThrow('password authentication failed');
  });
});

/** Transpiles sources into a temporary folder. */
async function transpile(...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'program-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of names) {
    const { outputText } = ts.transpileModule(
      readFileSync(join(ROOT, `tools/test-servers/src/postgres/${name}.ts`), 'utf8'),
      {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      },
    );
    await writeFile(join(folder, `${name}.js`), outputText);
  }
  return folder;
}

describe('PostgresProcess', () => {
  const PROGRAM = `
    import { PostgresProcess } from './postgres-process.js';
    const server = new PostgresProcess(...process.argv.slice(1));
    setInterval(() => server.isReady && !server.isFrozen && server.freeze(), 10);
    setInterval(() => server.isFrozen && process.kill(process.pid, 'SIGKILL'), 10);`;

  it('ends with the process that started it, even if it is frozen and that process is killed', async () => {
    const [port, folder, cwd] = [
      await freePort(),
      await makeFolder(),
      await transpile('postgres-process', 'process-children'),
    ];
    await copyTemplate(folder);
    await writeSettings(folder, { port });
    const postgres = join(findTemplate().programs, 'postgres');
    const parent = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, postgres, folder], { cwd });
    expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
    await eventually(() => !existsSync(folder));
    const url = `postgresql://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`;
    // A server that is ending may still accept a connection and close it.
    await eventually(() => whoAmI(url).then(() => true, isRefused));
    await expect(whoAmI(url)).rejects.toThrow('ECONNREFUSED');
    await rm(cwd, { recursive: true });
  });
});

function isRefused(error: Error): boolean {
  return error.message.includes('ECONNREFUSED');
}
