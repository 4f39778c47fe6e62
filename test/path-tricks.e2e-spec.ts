import { Controller, Get, Param, UseGuards, VersioningType } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  DistributedSessionModule,
  InMemorySessionStorage,
  RequireServicePermission,
  ServiceAuthGuard,
  ServicePermissionGuard,
  SessionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { bearer, cookie, serviceHeaders } from './support/credential-headers.js';
import { send, sendRaw } from './support/http-request.js';
import { type RunningApp, closeApps, listen, makeApp } from './support/running-app.js';

const CONTENT = 'guarded-content';

@Controller('admin')
class AdminController {
  @Get('services')
  @UseGuards(ServiceAuthGuard, ServicePermissionGuard)
  @RequireServicePermission('service.read')
  services() {
    return { CONTENT };
  }

  @Get('session')
  @UseGuards(SessionGuard)
  session() {
    return { CONTENT };
  }

  @Get('files/:path')
  @UseGuards(SessionGuard)
  file(@Param('path') path: string) {
    return { CONTENT, path };
  }
}

/** The ways to write a path so that a router may find what a check of the path does not. */
function variantsOf(path: string): string[] {
  const [, first, last] = path.split('/') as [string, string, string];
  return [
    path,
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `//${path}`,
    `/${first}//${last}`,
    `/${first}%2f${last}`,
    `/${first}%2F${last}`,
    `/${first}%252f${last}`,
    `/${first}\\${last}`,
    `/${first}%5c${last}`,
    `/./${first}/${last}`,
    `/${first}/./${last}`,
    `/${first}/x/../${last}`,
    `/${first}/%2e/${last}`,
    `/${first}/x/%2e%2e/${last}`,
    `${path};x`,
    `${path};jsessionid=1`,
    `/${first};x/${last}`,
    path.toUpperCase(),
    `/${first}/${last[0]!.toUpperCase()}${last.slice(1)}`,
    `/${first}/%${last.charCodeAt(0).toString(16)}${last.slice(1)}`,
    `${path}%00`,
    `${path}%20`,
    `${path}%09`,
    `${path}.json`,
    `${path}.`,
    `${path}?`,
    `${path}??`,
    `${path}?x=/public`,
    `${path}#/public`,
    `${path}%3f`,
    `${path}%23`,
    `http://localhost${path}`,
    `http://localhost/${path}`,
    `/%E0%A4%A${path}`,
  ];
}

describe.each(ADAPTERS)('the guards on %s', (_name, makeAdapter) => {
  let admin: RunningApp;

  beforeAll(async () => {
    const sessions = DistributedSessionModule.forRoot({ serviceId: 'admin', storage: new InMemorySessionStorage() });
    const app = await makeApp({ imports: [sessions], controllers: [AdminController] }, makeAdapter);
    app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });
    app.enableCors();
    admin = await listen(app);
  });

  afterAll(closeApps);

  test('let the right credential through, so that what follows shows something', async () => {
    const { secret } = await admin.sessions.registerService({
      serviceId: 'console',
      serviceName: 'Console',
      permissions: ['service.read'],
    });
    const { credential } = await admin.sessions.createSession('alice');
    const answers = await Promise.all([
      send(`${admin.url}/admin/services`, serviceHeaders('console', secret)),
      send(`${admin.url}/admin/session`, cookie(credential)),
      send(`${admin.url}/admin/files/a`, bearer(credential)),
    ]);
    expect(answers.map(({ status, text }) => [status, text.includes(CONTENT)])).toEqual(answers.map(() => [200, true]));
  });

  describe.each(['/admin/services', '/admin/session', '/admin/files/a'])('of %s', (path) => {
    test.each(variantsOf(path))('are not skipped by GET %s', async (target) => {
      expect(await outcomeOf(target, 'GET')).toBe('refused');
    });

    test.each(['HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'QUERY', 'TRACE'])(
      'are not skipped by the method %s',
      async (method) => {
        expect(await outcomeOf(path, method)).toBe('refused');
        expect(await outcomeOf(`${path}/`, method)).toBe('refused');
      },
    );

    test.each<[string, string]>([
      ['X-HTTP-Method-Override', 'OPTIONS'],
      ['X-Original-URL', '/public'],
      ['X-Rewrite-URL', '/public'],
      ['X-Forwarded-Prefix', '/public'],
      ['X-Version', '0'],
      ['Origin', 'null'],
      ['Authorization', ''],
      ['Cookie', '__Host-session'],
    ])('are not skipped with the header %s: %s', async (name, value) => {
      expect(await outcomeOf(path, 'GET', [[name, value]])).toBe('refused');
    });
  });

  /** `refused`, or what came back instead. */
  async function outcomeOf(target: string, method: string, headers: [string, string][] = []): Promise<string> {
    const { status, text } = await sendRaw(admin.url, target, headers, method);
    if (text.includes(CONTENT)) return `the content, with ${status}`;
    // A preflight is answered by CORS, before the router, and has no content.
    const isPreflight = method === 'OPTIONS' && status === 204 && text === '';
    return status >= 300 || isPreflight ? 'refused' : `${status} ${text}`;
  }
});
