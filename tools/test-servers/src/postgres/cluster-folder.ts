import { execFile } from 'node:child_process';
import { chown, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificate } from '../self-signed-certificate.js';
import { type PostgresSettings, postgresConf } from './postgres-settings.js';
import { findTemplate } from './template-cluster.js';

const TLS_SETTINGS = { ssl: 'on', ssl_cert_file: '../cert.pem', ssl_key_file: '../key.pem' };

/** Creates a temporary folder owned by the servers' user; its `data` contains the cluster. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  await giveAway(folder);
  return folder;
}

/** Creates an empty cluster in the folder. */
export async function copyTemplate(folder: string): Promise<void> {
  await promisify(execFile)('cp', ['-Rp', findTemplate().data, join(folder, 'data')]);
}

/** Runs a PostgreSQL program in the folder, as the folder's owner. */
export async function runProgram(folder: string, name: string, args: readonly string[]): Promise<void> {
  const { uid, gid } = await stat(folder);
  const user = process.getuid?.() === 0 ? { uid, gid } : {};
  await promisify(execFile)(join(findTemplate().programs, name), args, { cwd: folder, ...user });
}

export async function writeSettings(folder: string, settings: PostgresSettings): Promise<void> {
  await writeFile(join(folder, 'data', 'postgresql.conf'), postgresConf(settings));
}

/** Adds lines to the start of `pg_hba.conf`, before those that admit every user with a password. */
export async function addAccess(folder: string, lines: string): Promise<void> {
  const file = join(folder, 'data', 'pg_hba.conf');
  await writeFile(file, `${lines}\n${await readFile(file, 'utf8')}`);
}

/** Creates a self-signed certificate. */
export async function makeTls(folder: string): Promise<{ certificate: string; settings: PostgresSettings }> {
  const certificate = await makeCertificate(folder);
  await giveAway(join(folder, 'key.pem'));
  return { certificate, settings: TLS_SETTINGS };
}

/** Gives a file that root has created to the servers' user. */
async function giveAway(path: string): Promise<void> {
  const { uid, gid } = await stat(findTemplate().data);
  if (process.getuid?.() === 0) await chown(path, uid, gid);
}
