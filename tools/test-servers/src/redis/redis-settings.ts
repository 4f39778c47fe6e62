/** Lines of a `redis.conf`: a name with its value, or with several values for several lines. */
export type RedisSettings = Readonly<Record<string, string | number | readonly string[]>>;

/** No persistence, and access from loopback only. */
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

/** The text of a `redis.conf`: these settings override the tests' defaults. */
export function redisConf(settings: RedisSettings): string {
  return Object.entries({ ...DEFAULTS, ...settings })
    .flatMap(([name, value]) => (typeof value === 'object' ? value : [value]).map((each) => [name, each]))
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}`)
    .join('\n');
}
