import { installNginx } from './nginx/install-nginx.js';
import { installPgbouncer } from './pgbouncer/install-pgbouncer.js';
import { installPostgres } from './postgres/install-postgres.js';
import { makeTemplate } from './postgres/template-cluster.js';
import { installRedis } from './redis/install-redis.js';

/** For `globalSetup` of Jest: the real servers that the tests start for themselves. */
export default async function installServers() {
  await installRedis();
  await makeTemplate(await installPostgres());
  await installPgbouncer();
  await installNginx();
}
