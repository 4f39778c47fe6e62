import '../../model/module-format.js';
export { RedisSessionStorage } from './redis-session-storage.js';
export type { RedisClient, RedisServerOptions, RedisSessionStorageOptions } from './redis-session-storage.options.js';
