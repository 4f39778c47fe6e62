import type { RedisOptions } from 'ioredis';

/** A parsed URL. Its host part may contain several servers. */
export interface RedisAddress {
  readonly kind: 'server' | 'sentinel' | 'cluster';
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly options: Pick<RedisOptions, 'username' | 'password' | 'db' | 'name' | 'tls'>;
}

/** An invalid URL. Its message never contains the URL, which may contain a password. */
export class RedisUrlError extends Error {}

const URL_FORM = /^(redis|rediss)(-sentinel|-cluster)?:\/\/(?:([^@/?]*)@)?([^@/?#]+)(?:\/(\d*))?(?:\?([^#]*))?$/;
const DEFAULT_PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 } as const;

/**
 * Parses the URL of one server, of Sentinels or of a cluster.
 *
 * @throws {RedisUrlError} when the URL is invalid.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = typeof url === 'string' ? URL_FORM.exec(url) : null;
  if (!parts) {
    throw new RedisUrlError(
      'url must have the form redis://host:6379/0, redis-sentinel://host:26379,host:26379/0?name=mymaster or ' +
        'redis-cluster://host:6379,host:6379 (rediss… for TLS), with special characters of a password percent-encoded',
    );
  }
  const [, scheme, variant, credentials, hosts, db, query] = parts;
  const kind = variant === undefined ? 'server' : variant === '-sentinel' ? 'sentinel' : 'cluster';
  const nodes = hosts!.split(',').map((host) => parseHost(host, DEFAULT_PORTS[kind]));
  if (kind === 'server' && nodes.length > 1) {
    throw new RedisUrlError('url contains several hosts: use redis-sentinel:// or redis-cluster://');
  }
  if (kind === 'cluster' && Number(db ?? 0) > 0) {
    throw new RedisUrlError(
      'a cluster supports only database 0: remove the database from the url and set keyPrefix instead',
    );
  }
  const name = new URLSearchParams(query ?? '').get('name') ?? undefined;
  if (kind === 'sentinel' && !name)
    throw new RedisUrlError('url does not contain the name of the master: add ?name=mymaster');
  return {
    kind,
    nodes,
    options: {
      ...parseCredentials(credentials),
      ...(db && { db: Number(db) }),
      ...(kind === 'sentinel' && { name }),
      ...(scheme === 'rediss' && { tls: {} }),
    },
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? defaultPort : Number(port);
  if (!host || number < 1 || number > 65_535) throw new RedisUrlError('url contains an invalid host or port');
  return { host, port: number };
}

function parseCredentials(text: string | undefined): Pick<RedisOptions, 'username' | 'password'> {
  if (!text) return {};
  const colon = text.indexOf(':');
  try {
    const [user, password] = [colon < 0 ? text : text.slice(0, colon), colon < 0 ? '' : text.slice(colon + 1)];
    return {
      ...(user && { username: decodeURIComponent(user) }),
      ...(password && { password: decodeURIComponent(password) }),
    };
  } catch {
    throw new RedisUrlError('url contains a user or password with an invalid percent-encoding: write "%" as %25');
  }
}
