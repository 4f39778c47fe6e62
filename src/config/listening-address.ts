import { lookup } from 'node:dns/promises';
import type { Environment } from './environment.js';
import { isLoopback } from './loopback.js';
import { EnvironmentError } from './read-environment.js';

/**
 * Resolves the host to listen on, so that the rules for its address cannot be avoided by a name.
 *
 * @throws {EnvironmentError} when the rules of development apply, but other machines can reach the address.
 */
export async function addressOf(
  { host, isProduction }: Pick<Environment, 'host' | 'isProduction'>,
  resolve: (name: string) => Promise<{ readonly address: string }> = lookup,
): Promise<string> {
  const { address } = await resolve(host);
  if (isProduction || isLoopback(address)) return address;
  throw new EnvironmentError([
    `HOST=${host} resolves to an address that other machines can reach; set HOST to 127.0.0.1 to run in development, or set NODE_ENV to production`,
  ]);
}
