import * as ioredis from 'ioredis';

/** The versions of ioredis that this library supports. */
export const SUPPORTED_IOREDIS = '5.4.1 or later, or 6';

/**
 * The classes of the installed ioredis. Only this file imports them: older versions lack some of the names, and the
 * import of a missing name fails with an error of the module loader.
 *
 * @throws {Error} when the installed version is not supported, as soon as the library is imported.
 */
export const { Redis, Cluster, Command } = supported(ioredis);

export type Redis = ioredis.Redis;
export type Cluster = ioredis.Cluster;
export type Command = ioredis.Command;

/** Whether a client leaves a server that no longer responds: before 5.4, ioredis ignores the option `socketTimeout`. */
export function hasSocketTimeout(client: object): boolean {
  return 'setSocketTimeout' in client;
}

function supported(installed: typeof ioredis): Pick<typeof ioredis, 'Redis' | 'Cluster' | 'Command'> {
  const client = (installed as Partial<typeof ioredis>).Redis?.prototype;
  if (client && hasSocketTimeout(client)) return installed;
  throw new Error(
    `nestjs-distributed-session/redis does not support the installed version of ioredis: install ${SUPPORTED_IOREDIS}, ` +
      'for example by `npm install ioredis@6`.',
  );
}
