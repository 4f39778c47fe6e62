import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.js';
import { RedisServer } from './redis-server.js';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
const CERTIFICATE = ['-out', 'cert.pem', '-days', '1', '-subj', '/CN=tests', '-addext', 'subjectAltName=IP:127.0.0.1'];

/** A server that also speaks TLS, with a certificate that nobody vouches for. */
export interface TlsServer {
  readonly server: RedisServer;
  readonly tlsPort: number;
  /** What a client must trust. */
  readonly certificate: string;
}

/** Starts one; its certificate is made by `openssl`, and goes with its folder. */
export async function startTlsServer(): Promise<TlsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  await promisify(execFile)('openssl', ['req', '-x509', ...KEY, ...CERTIFICATE], { cwd: folder });
  const certificate = await readFile(join(folder, 'cert.pem'), 'utf8');
  const tlsPort = await freePort();
  const files = { 'tls-cert-file': 'cert.pem', 'tls-key-file': 'key.pem', 'tls-ca-cert-file': 'cert.pem' };
  const settings = { 'tls-port': tlsPort, 'tls-auth-clients': 'no', ...files };
  return { server: await RedisServer.start({ folder, settings }), tlsPort, certificate };
}
