/** Lines of a `redis.conf`: a name with what stands behind it, or with several of those for as many lines. */
export type RedisSettings = Readonly<Record<string, string | number | readonly string[]>>;

/** Nothing is kept on disk, nobody else is let in. */
const DEFAULTS: RedisSettings = {
  bind: '127.0.0.1',
  daemonize: 'no',
  logfile: 'redis.log',
  save: '',
  appendonly: 'no',
  'shutdown-timeout': 0,
  'repl-diskless-sync-delay': 0,
  'repl-ping-replica-period': 1,
};

/** The text of a `redis.conf` with these settings over the defaults of a test. */
export function redisConf(settings: RedisSettings): string {
  return Object.entries({ ...DEFAULTS, ...settings })
    .flatMap(([name, value]) => (typeof value === 'object' ? value : [value]).map((each) => [name, each]))
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}`)
    .join('\n');
}
