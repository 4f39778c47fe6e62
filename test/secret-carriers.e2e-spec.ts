import { Controller, Get, UseGuards } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  CurrentService,
  InMemorySessionStorage,
  ServiceAuthGuard,
  type ServiceCredential,
  ServiceInputError,
} from 'nestjs-distributed-session';
import type { MakeAdapter } from './support/adapters.js';
import { type RequestHeaders, basic, serviceHeaders } from './support/credential-headers.js';
import { sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

@UseGuards(ServiceAuthGuard)
@Controller()
class CallerController {
  @Get('caller')
  caller(@CurrentService() { serviceId }: ServiceCredential) {
    return { serviceId };
  }
}

const ADAPTERS: readonly (readonly [string, MakeAdapter])[] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];
/** Secrets of characters that carriers treat in different ways. */
const SECRET = fc.string({
  unit: fc.constantFrom(...Array.from(' :;,"\'\\=+/%&?#@<>()[]{}|^~`!$*-_.aZ09\té\u0000\n🦊'), '\ud800'),
  minLength: 12,
  maxLength: 40,
});
const CARRIERS: readonly ((serviceId: string, secret: string) => RequestHeaders)[] = [basic, serviceHeaders];

describe.each(ADAPTERS)('On %s, a chosen secret', (_name, makeAdapter) => {
  let shop: RunningApp;

  beforeAll(async () => {
    const options = { serviceId: 'shop', storage: new InMemorySessionStorage() };
    shop = await startSessionApp(makeAdapter, options, { controllers: [CallerController] });
  });

  afterAll(closeApps);

  /** The services that the secret authenticates, by carrier; `undefined` if it was refused at registration. */
  async function authenticatedBy(serviceId: string, secretKey: string): Promise<unknown[] | undefined> {
    const registration = { serviceId, serviceName: 'Shop', permissions: [], secretKey };
    try {
      await shop.sessions.registerService(registration, { replace: true });
    } catch (error) {
      if (error instanceof ServiceInputError && error.field === 'secretKey') return undefined;
      throw error;
    }
    const answers: unknown[] = [];
    for (const carrier of CARRIERS) {
      const { json } = await sendRaw(shop.url, '/caller', Object.entries(carrier(serviceId, secretKey)));
      answers.push((json as { serviceId?: string }).serviceId);
    }
    return answers;
  }

  test.each(['Order.1_a-b', 'o', '0'.repeat(128)])(
    'authenticates the service %s by every carrier',
    async (serviceId) => {
      const all = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
      for (const secret of [`x${all}x`, 'correct horse  battery staple', '::::::::::::', '"""""""""""",']) {
        expect(await authenticatedBy(serviceId, secret)).toEqual([serviceId, serviceId]);
        await shop.sessions.revokeService(serviceId);
      }
    },
  );

  test('is refused at registration, or authenticates by every carrier', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(SECRET, async (secret) => {
        const answers = await authenticatedBy('order', secret);
        if (answers) accepted++;
        expect(answers ?? ['order', 'order']).toEqual(['order', 'order']);
      }),
      // Random texts are rarely long enough and printable: one of these certainly is.
      { numRuns: 60, examples: [['a printable text, long enough']] },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});
