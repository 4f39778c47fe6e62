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
import { pathTricks } from './support/path-tricks.js';
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

  test('the guards accept valid credentials (so the refusals below are meaningful)', async () => {
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

  describe.each(['/admin/services', '/admin/session', '/admin/files/a'])('and the path %s', (path) => {
    test.each(pathTricks(path, '/public'))('the request GET %s does not bypass the guard', async (target) => {
      expect(await outcomeOf(target, 'GET')).toBe('refused');
    });

    test.each(['HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'QUERY', 'TRACE'])(
      'the method %s does not bypass the guard',
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
    ])('the header "%s: %s" does not bypass the guard', async (name, value) => {
      expect(await outcomeOf(path, 'GET', [[name, value]])).toBe('refused');
    });
  });

  /** Returns `refused`, or a description of the response. */
  async function outcomeOf(target: string, method: string, headers: [string, string][] = []): Promise<string> {
    const { status, text } = await sendRaw(admin.url, target, headers, method);
    if (text.includes(CONTENT)) return `content returned with status ${status}`;
    // CORS answers a preflight before the router does, without content.
    const isPreflight = method === 'OPTIONS' && status === 204 && text === '';
    return status >= 300 || isPreflight ? 'refused' : `${status} ${text}`;
  }
});
