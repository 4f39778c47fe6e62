import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { type RespInterference, RespProxy } from '@distributed-session/test-servers/proxy/resp-proxy.js';
import { RedisServer } from '@distributed-session/test-servers/redis/redis-server.js';
import { startErrorsOf } from '../storage/start-errors.js';

const DEADLINE_MS = 300;

/** A server, and proxies that interfere with it. Call this at the top of a test file. */
export function useInterference() {
  const cleanUps: (() => Promise<void>)[] = [];
  let server: RedisServer;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  afterAll(async () => {
    await server.stop();
  });

  return {
    get server() {
      return server;
    },

    /** Ends something after the test. */
    after: (cleanUp: () => Promise<void>) => void cleanUps.push(cleanUp),

    /** A proxy in front of the server, for one test. */
    proxied: async (interference: RespInterference) => {
      const proxy = await RespProxy.start(server.port, interference);
      cleanUps.push(async () => proxy.stop());
      return proxy;
    },
  };
}

/** The errors with which a start is refused; what it logged, if it succeeds. */
export function errorsAt(url: string): Promise<readonly string[]> {
  return startErrorsOf(new RedisSessionStorage({ url, deadlineMs: DEADLINE_MS, connectDeadlineMs: 8_000 }));
}

export const bulk = (value: Buffer) => Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);

/** Changes every bulk string in a reply. */
export function changeBulks(frame: Buffer, change: (value: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < frame.length) {
    const lineEnd = frame.indexOf('\r\n', at) + 2;
    const length = frame[at] === '$'.charCodeAt(0) ? Number(frame.toString('latin1', at + 1, lineEnd - 2)) : -1;
    if (length >= 0) parts.push(bulk(change(frame.subarray(lineEnd, lineEnd + length))));
    else parts.push(frame.subarray(at, lineEnd));
    at = length >= 0 ? lineEnd + length + 2 : lineEnd;
  }
  return Buffer.concat(parts);
}
