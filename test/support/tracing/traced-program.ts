/**
 * `traced-program.ts redis|postgres URL CANARY` runs operations of every kind under the real instrumentation, and prints
 * what was traced as one line of JSON. Every value that belongs to a user contains the canary.
 */
import { subscribe } from 'node:diagnostics_channel';
import { trace } from '@opentelemetry/api';
import { exporter } from './start-tracing.js';

/** What the program prints. */
export interface TracedOperations {
  /** The ended spans. */
  readonly spans: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly events: readonly object[];
  }[];
  /** The commands that ioredis publishes by itself, for tracers that patch nothing. */
  readonly published: readonly { readonly command: string; readonly args: readonly string[] }[];
}

const [kind, url = '', canary = ''] = process.argv.slice(2);
const { DistributedSessionManager } = await import('nestjs-distributed-session');
const storage =
  kind === 'redis'
    ? new (await import('nestjs-distributed-session/redis')).RedisSessionStorage({ url })
    : new (await import('nestjs-distributed-session/postgres')).PostgresSessionStorage({
        url,
        ...(url.includes('pgbouncer') && { feedPollIntervalMs: 100 }),
      });

const published: TracedOperations['published'][number][] = [];
subscribe('tracing:ioredis:command:start', (message) => {
  const { command, args } = message as (typeof published)[number];
  published.push({ command, args });
});

const loginId = `${canary}-login`;
const token = `${canary}-token-of-22-characters`;
const sessionAttributes = { [`${canary}-name`]: `${canary}-value` };

// The instrumentation traces only what runs within a span.
await trace.getTracer('test').startActiveSpan('request', async (span) => {
  const sessions = new DistributedSessionManager({ serviceId: 'order', storage });
  await sessions.connect();
  const service = await sessions.registerService({ serviceId: 'pay', serviceName: canary, permissions: ['*'] });
  await sessions.verifyService('pay', service.secret);
  const client = { userAgent: canary, ip: '203.0.113.7' };
  const session = await sessions.createSession(loginId, token, {
    device: canary,
    client,
    attributes: sessionAttributes,
  });
  await sessions.verifySession(session.credential);
  await sessions.setAttribute(session.sessionId, `${canary}-other`, { nested: canary });
  await sessions.refreshSession(session.sessionId);
  const rotated = await sessions.rotateSession(session.credential);
  await sessions.getSessionsByLoginId(loginId);
  await sessions.getSessionHistory(loginId);
  await sessions.countOnline();
  await sessions.deleteSession(rotated.sessionId, { actor: canary });
  await sessions.deleteAllSessions(loginId);
  await sessions.close();
  span.end();
});

const spans = exporter.getFinishedSpans();
const traced: TracedOperations = {
  spans: spans.map((span) => ({ name: span.name, attributes: span.attributes, events: span.events })),
  published,
};
process.stdout.write(JSON.stringify(traced));
