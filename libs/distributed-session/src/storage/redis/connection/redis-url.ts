import type { RedisOptions } from 'ioredis';

/** What a URL says. Its host part may name several servers. */
export interface RedisAddress {
  readonly kind: 'server' | 'sentinel' | 'cluster';
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly options: Pick<RedisOptions, 'username' | 'password' | 'db' | 'name' | 'tls'>;
}

/** A URL that cannot be used. Its message says why, and never repeats the URL: it may hold a password. */
export class RedisUrlError extends Error {}

const URL_FORM = /^(redis|rediss)(-sentinel|-cluster)?:\/\/(?:([^@/?]*)@)?([^@/?#]+)(?:\/(\d*))?(?:\?([^#]*))?$/;
const DEFAULT_PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 } as const;

/** Reads a URL of one server, of Sentinels or of a cluster. Throws {@link RedisUrlError}. */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = typeof url === 'string' ? URL_FORM.exec(url) : null;
  if (!parts) {
    throw new RedisUrlError(
      'url must look like redis://host:6379/0, redis-sentinel://host:26379,host:26379/0?name=mymaster or ' +
        'redis-cluster://host:6379,host:6379 (rediss… for TLS); special characters of a password are percent-encoded',
    );
  }
  const [, scheme, variant, credentials, hosts, db, query] = parts;
  const kind = variant === undefined ? 'server' : variant === '-sentinel' ? 'sentinel' : 'cluster';
  const nodes = hosts!.split(',').map((host) => parseHost(host, DEFAULT_PORTS[kind]));
  if (kind === 'server' && nodes.length > 1) {
    throw new RedisUrlError('url names several servers: write redis-sentinel:// or redis-cluster://');
  }
  if (kind === 'cluster' && Number(db ?? 0) > 0) {
    throw new RedisUrlError('url names a database, but a cluster has none but 0: give a keyPrefix instead');
  }
  const name = new URLSearchParams(query ?? '').get('name') ?? undefined;
  if (kind === 'sentinel' && !name) throw new RedisUrlError('url lacks the name of the master: add ?name=mymaster');
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
  if (!host || number < 1 || number > 65_535) throw new RedisUrlError('url names a host or a port that is none');
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
    throw new RedisUrlError('url has a user or password with a "%" that is no percent-encoding: write it as %25');
  }
}
