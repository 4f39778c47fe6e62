import { createServer } from 'node:http';
import { once } from 'node:events';
import type { INestApplication } from '@nestjs/common';
import { describe, expect, test } from '@jest/globals';
import { urlOf } from './http-adapter.js';

/** An application that has only an address. */
function listeningOn(address: string, family: 'IPv4' | 'IPv6'): INestApplication {
  const server = { address: () => ({ address, family, port: 3_000 }) };
  return { getHttpServer: () => server } as unknown as INestApplication;
}

describe('urlOf()', () => {
  test.each([
    ['127.0.0.1', 'IPv4', 'http://127.0.0.1:3000'],
    ['192.0.2.7', 'IPv4', 'http://192.0.2.7:3000'],
    ['::1', 'IPv6', 'http://[::1]:3000'],
    ['2001:db8::7', 'IPv6', 'http://[2001:db8::7]:3000'],
    ['0.0.0.0', 'IPv4', 'http://localhost:3000'],
    ['::', 'IPv6', 'http://localhost:3000'],
  ] as const)('returns for %s (%s) the URL %s', (address, family, url) => {
    expect(urlOf(listeningOn(address, family))).toBe(url);
  });

  test('returns the URL at which a server responds', async () => {
    const server = createServer((_request, response) => response.end('here'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = urlOf({ getHttpServer: () => server } as unknown as INestApplication);
    expect(await (await fetch(url)).text()).toBe('here');
    server.close();
  });
});
