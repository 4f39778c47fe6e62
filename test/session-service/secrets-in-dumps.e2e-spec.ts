import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ConfigService } from '@nestjs/config';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { Administrator } from '../../src/administrator/administrator.js';
import { SECRET_VARIABLES } from '../../src/config/environment.js';
import { environmentConfig, readEnvironment } from '../../src/config/read-environment.js';
import { basic } from '../support/credential-headers.js';
import { dumpsOf, pathsOf } from '../support/dumps.js';
import { type RunningService, SERVERS, startService, stopServices } from '../support/running-service.js';

/** Part of every secret below, and of nothing else. */
const CANARY = 'cAnArY';
/** The beginning of generated secrets, which occurs in texts of the code, and the beginning of what follows it. */
const GENERATED = /\bdss_\w{20,}/;
const SECRETS = {
  ADMIN_SECRET: `${CANARY}-of-the-administrator`,
  METRICS_TOKEN: `${CANARY}-of-the-scraper`,
  SECRET_PEPPER: `${CANARY}-of-the-digests`,
  SESSION_STORAGE_TAG_KEY: `${CANARY}-of-the-tags`,
  TOKEN_KEY: `${CANARY}-of-the-tokens-from-now-on ${CANARY}-of-the-tokens-until-the-last-change`,
};
/** From a provider to its dependencies, and not through Nest's container to everything. */
const DEPTH = 3;
const URLS = [
  ['redis', { SESSION_STORAGE_URL: `redis://owner:${CANARY}@127.0.0.1:1/0` }],
  [
    'postgres',
    {
      SESSION_STORAGE_URL: `postgres://owner:${CANARY}@127.0.0.1:1/sessions`,
      SESSION_STORAGE_FEED_URL: `postgres://owner:${CANARY}@127.0.0.1:2/sessions`,
    },
  ],
] as const;

afterEach(stopServices);

describe.each(URLS)('The environment with %s, in a dump', (SESSION_STORAGE, urls) => {
  const environment = readEnvironment({ ...SECRETS, SESSION_STORAGE, ...urls, PORT: '0' });

  test('contains no secret, and the other variables', () => {
    expect(leaksOf(environment)).toEqual([]);
    expect(JSON.parse(JSON.stringify(environment))).toMatchObject({
      SESSION_STORAGE,
      PORT: 0,
      HTTP_ADAPTER: 'express',
    });
  });

  test('returns each secret by its name', () => {
    expect(environment).toMatchObject({ ...SECRETS, ...urls });
    const missing = SECRET_VARIABLES.filter((name) => !environment[name]?.includes(CANARY));
    expect(missing).toEqual(SESSION_STORAGE === 'postgres' ? [] : ['SESSION_STORAGE_FEED_URL']);
  });
});

describe.each(SERVERS)('On %s, a dump of the running session service', (HTTP_ADAPTER) => {
  test('contains no secret of its environment, its services, its sessions and its stored replies', async () => {
    const service = await startService({ variables: { ...SECRETS, HTTP_ADAPTER } });
    const secrets = [CANARY, ...(await useOf(service))];
    const modules = service.app.get(ModulesContainer);
    const roots = [...modules.values()]
      .flatMap(({ providers, controllers }) => [...providers.values(), ...controllers.values()])
      .map(({ instance }) => instance)
      .filter((instance) => ![ModuleRef, ApplicationConfig, HttpAdapterHost].some((type) => instance instanceof type));
    expect(roots.length).toBeGreaterThan(60);
    expect(roots.flatMap((root) => leakingDumps(root, secrets))).toEqual([]);
    expect(pathsOf(secrets, modules, SECRET_VARIABLES)).toEqual([]);
    expect(leaksOf(service.app.get(ConfigService, { strict: false }), secrets)).toEqual([]);
    expect(leaksOf(service.app.get(environmentConfig.KEY, { strict: false }), secrets)).toEqual([]);
  });

  test('does not contain the generated secret of the administrator, which is returned once', async () => {
    const service = await startService({ variables: { ADMIN_SECRET: '', HTTP_ADAPTER } });
    const administrator = service.app.get(Administrator);
    expect(Object.values(dumpsOf(administrator)).filter((dump) => GENERATED.test(dump))).toEqual([]);
    expect(administrator.takeGeneratedSecret()).toMatch(GENERATED);
    expect(administrator.takeGeneratedSecret()).toBeUndefined();
  });
});

/** Uses the service in every way that hands out or receives a secret. Returns the secrets. */
async function useOf({ url }: RunningService): Promise<string[]> {
  const headers = { ...basic('admin', SECRETS.ADMIN_SECRET), 'content-type': 'application/json' };
  const post = async (path: string, body: object) => {
    const sent = { ...headers, ...(!path.endsWith('verify') && { 'idempotency-key': randomUUID() }) };
    const answer = await fetch(`${url}/v1/${path}`, { method: 'POST', headers: sent, body: JSON.stringify(body) });
    expect([path, answer.ok]).toEqual([path, true]);
    return (await answer.json()) as Record<'token' | 'secret' | 'sessionId' | 'credential', string>;
  };
  const token = `${CANARY}-token-of-22-characters`;
  const own = await post('sessions', { loginId: 'alice', token, attributes: { role: CANARY } });
  const drawn = await post('sessions', { loginId: 'alice' });
  const rotated = await post('sessions/rotate', { credential: drawn.credential });
  const registered = await post('services', { serviceId: 'cart', serviceName: 'Cart', permissions: ['session.read'] });
  const renewed = await post('services/cart/secrets', {});
  await post('services/verify', { serviceId: 'cart', secret: renewed.secret });
  await post('sessions/verify', { credential: own.credential });
  const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${SECRETS.METRICS_TOKEN}` } });
  expect(metrics.status).toBe(200);
  await metrics.text();
  return [drawn.token, rotated.token, registered.secret, renewed.secret];
}

/** The dumps of an object, and the paths below it, that contain a secret. */
function leaksOf(root: unknown, secrets: readonly string[] = [CANARY]): string[] {
  return [...leakingDumps(root, secrets), ...pathsOf(secrets, root, SECRET_VARIABLES)];
}

function leakingDumps(root: unknown, secrets: readonly string[]): string[] {
  const dumps = Object.entries(dumpsOf(root, DEPTH)).filter(([, dump]) =>
    secrets.some((secret) => dump.includes(secret)),
  );
  return dumps.map(([name]) => `${nameOf(root)} ${name}`);
}

function nameOf(root: unknown): string {
  return (root as object | undefined)?.constructor.name ?? '';
}
