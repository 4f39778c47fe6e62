import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

export type MakeAdapter = () => AbstractHttpAdapter;

/** The HTTP adapters, for `describe.each`. */
export const ADAPTERS: [string, MakeAdapter][] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

/** The same, behind a proxy whose `X-Forwarded-For` they believe. */
export const PROXIED_ADAPTERS: [string, MakeAdapter][] = [
  [
    'Express',
    () => {
      const adapter = new ExpressAdapter();
      adapter.set('trust proxy', true);
      return adapter;
    },
  ],
  ['Fastify', () => new FastifyAdapter({ trustProxy: true })],
];
