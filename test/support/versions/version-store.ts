import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { PostgresServer } from '@distributed-session/test-servers/postgres/postgres-server.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { THIS_VERSION } from './next-version.js';
import { VersionProcess } from './version-process.js';

type Variables = Readonly<Record<string, string>>;

/** An empty store for each test, and the processes of both versions on it. */
export class VersionStore {
  #url = '';
  #processes: VersionProcess[] = [];

  constructor(
    private readonly storage: 'redis' | 'postgres',
    private readonly env: Variables,
    private readonly nextDist: () => string,
  ) {
    let server: RedisServer | PostgresServer;
    beforeAll(async () => {
      server = storage === 'redis' ? await RedisServer.start() : await PostgresServer.start();
    });
    beforeEach(async () => {
      if (server instanceof RedisServer) await server.call('FLUSHALL');
      this.#url = server instanceof PostgresServer ? await server.createDatabase() : server.url;
    });
    afterEach(async () => {
      for (const each of this.#processes.splice(0)) await each.kill();
    });
    afterAll(() => server.stop());
  }

  startOld = async (): Promise<VersionProcess> => this.#start(THIS_VERSION, {});
  startNew = async (variables: Variables = {}): Promise<VersionProcess> => {
    return this.#start(this.nextDist(), { ...this.env, ...variables });
  };

  async #start(dist: string, env: Variables): Promise<VersionProcess> {
    const options = { url: this.#url, heartbeatIntervalMs: 100, deadlineMs: 10_000, connectDeadlineMs: 20_000 };
    const started = await VersionProcess.start({ dist, storage: this.storage, options, env });
    this.#processes.push(started);
    return started;
  }
}
