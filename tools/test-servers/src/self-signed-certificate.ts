import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
const CERTIFICATE = ['-out', 'cert.pem', '-days', '1', '-subj', '/CN=tests', '-addext', 'subjectAltName=IP:127.0.0.1'];

/**
 * Creates a self-signed certificate for the loopback interface with `openssl`: `cert.pem` and `key.pem` in the folder.
 * Resolves to the certificate that a client must trust.
 */
export async function makeCertificate(folder: string): Promise<string> {
  await promisify(execFile)('openssl', ['req', '-x509', ...KEY, ...CERTIFICATE], { cwd: folder });
  return readFile(join(folder, 'cert.pem'), 'utf8');
}
