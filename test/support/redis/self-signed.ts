import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@distributed-session/test-servers/free-port.js';
import { makeCertificate } from '@distributed-session/test-servers/self-signed-certificate.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';

/** A server that also supports TLS, with a self-signed certificate. */
export interface TlsServer {
  readonly server: RedisServer;
  readonly tlsPort: number;
  /** The certificate that a client must trust. */
  readonly certificate: string;
}

/** Starts one. Its certificate is deleted with its folder. */
export async function startTlsServer(): Promise<TlsServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const certificate = await makeCertificate(folder);
  const tlsPort = await freePort();
  const files = { 'tls-cert-file': 'cert.pem', 'tls-key-file': 'key.pem', 'tls-ca-cert-file': 'cert.pem' };
  const settings = { 'tls-port': tlsPort, 'tls-auth-clients': 'no', ...files };
  return { server: await RedisServer.start({ folder, settings }), tlsPort, certificate };
}
