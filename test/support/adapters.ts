import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { isFullTier } from './tier.js';

export type MakeAdapter = () => AbstractHttpAdapter;

/** The HTTP adapters to test, for `describe.each`: Express, and in the full tier Fastify as well. */
export const ADAPTERS = inThisTier([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
]);

/** The same adapters behind a proxy whose `X-Forwarded-For` header they trust. */
export const PROXIED_ADAPTERS = inThisTier([
  ['Express', expressBehindProxy],
  ['Fastify', () => new FastifyAdapter({ trustProxy: true })],
]);

function expressBehindProxy(): ExpressAdapter {
  const adapter = new ExpressAdapter();
  adapter.set('trust proxy', true);
  return adapter;
}

function inThisTier(adapters: [string, MakeAdapter][]): [string, MakeAdapter][] {
  return isFullTier ? adapters : adapters.slice(0, 1);
}
