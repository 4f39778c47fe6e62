/** A program that shares a session through each kind of client, of the application's ioredis and of another copy. */
export const redisProgram = (url: string, otherCopy: string) => `
import { Redis } from 'ioredis';
import { Redis as OtherRedis } from '${otherCopy}';
import { DistributedSessionManager } from 'nestjs-distributed-session';
import { RedisSessionStorage, type RedisSessionStorageOptions } from 'nestjs-distributed-session/redis';

const url = '${url}';
const safe = { lazyConnect: true, socketTimeout: 1_500, maxRetriesPerRequest: 0, enableOfflineQueue: false };
const [client, other] = [new Redis(url, safe), new OtherRedis(url, safe)];
const servers: readonly RedisSessionStorageOptions[] = [{ url }, { client }, { client: other }];
const { credential } = await withSessions(servers[0]!, (sessions) => sessions.createSession('alice'));
for (const server of servers) {
  console.log((await withSessions(server, (sessions) => sessions.verifySession(credential))).loginId);
}
client.disconnect();
other.disconnect();

async function withSessions<T>(server: RedisSessionStorageOptions, work: (sessions: DistributedSessionManager) => Promise<T>) {
  const storage = new RedisSessionStorage(server);
  const sessions = new DistributedSessionManager({ serviceId: 'sample', storage });
  await sessions.connect();
  try {
    return await work(sessions);
  } finally {
    await sessions.close();
  }
}
`;

/** A program that checks the health of a storage that serves everything, that is full, and that is closed. */
export const HEALTH_PROGRAM = `
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { DistributedSessionManager, DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';

const storage = new InMemorySessionStorage({ maxSessions: 1 });

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), DistributedSessionModule.forRoot({ serviceId: 'sample', storage })],
  providers: [DistributedSessionHealthIndicator],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const health = await app.resolve(HealthCheckService);
await report();
await app.get(DistributedSessionManager).createSession('alice');
await report();
await storage.close();
await report();
await app.close();

async function report(): Promise<void> {
  const indicator = app.get(DistributedSessionHealthIndicator);
  const result = await health.check([() => indicator.pingCheck('sessions')]).catch((error) => error.getResponse());
  const { status, notes, message } = result.details.sessions;
  console.log(result.status, status, notes?.[0] ?? message ?? '');
}
`;
