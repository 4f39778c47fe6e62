import { type CanActivate, Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  OptionalSession,
  ServiceAuthGuard,
  type ServiceCredential,
  type Session,
  SessionAttribute,
  SessionGuard,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { bearer } from './support/credential-headers.js';
import { OwnPermissionGuard } from './support/guarded-routes.js';
import { send } from './support/http-request.js';
import { closeApps, listen } from './support/running-app.js';
import { type FaultyCase, faultsOf, linesOf, makeShop } from './support/startup-faults.js';

const NO_SERVICE = /no guard authenticates a service for @CurrentService\(\)/;
const NO_SESSION = /no guard verifies a session for @CurrentSession\(\) or @SessionAttribute\(\)/;

@Controller('readers')
class Readers {
  @Get()
  session(@CurrentSession() session: Session) {
    return session;
  }

  @Get('attribute')
  @UseGuards(ServiceAuthGuard)
  attribute(@SessionAttribute('role') role: string) {
    return role;
  }

  @Get('service')
  @UseGuards(SessionGuard)
  service(@CurrentService() service: ServiceCredential) {
    return service;
  }

  @Get('own')
  @UseGuards(OwnPermissionGuard)
  @AllowAnonymousService()
  both(@CurrentService() service: ServiceCredential, @CurrentSession() session: Session) {
    return [service, session];
  }

  @Get('optional')
  @OptionalSession()
  optional(@CurrentSession() session?: Session) {
    return session;
  }
}
describe.each(ADAPTERS)('An application on %s', (_name, makeAdapter) => {
  afterEach(closeApps);

  test.each<FaultyCase>([
    [
      'parameters that no guard assigns',
      Readers,
      [
        ['Readers.session', NO_SESSION],
        ['Readers.attribute', NO_SESSION],
        ['Readers.service', NO_SERVICE],
        ['Readers.both', NO_SERVICE],
        ['Readers.both', NO_SESSION],
        ['Readers.optional', NO_SESSION],
      ],
    ],
  ])('does not start with %s, and names the route', async (_what, controller, faults) => {
    const app = await makeShop({ controllers: [controller] }, makeAdapter);
    expect(await faultsOf(app)).toEqual(linesOf(faults));
  });

  test('responds with 500 on a route that reads what its own guard did not assign, and passes no undefined to it', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class ForgetfulGuard implements CanActivate {
      canActivate() {
        return true;
      }
    }
    @Controller()
    @UseGuards(ForgetfulGuard)
    class Forgetful {
      @Get('session')
      session(@CurrentSession() session: Session) {
        seen.push(session);
      }

      @Get('attribute')
      attribute(@SessionAttribute('role') role: string) {
        seen.push(role);
      }

      @Get('service')
      service(@CurrentService() service: ServiceCredential) {
        seen.push(service);
      }
    }
    const { url, sessions } = await listen(await makeShop({ controllers: [Forgetful] }, makeAdapter));
    const { credential } = await sessions.createSession('alice');
    for (const path of ['session', 'attribute', 'service']) {
      expect((await send(`${url}/${path}`, bearer(credential))).status).toBe(500);
    }
    expect(seen).toEqual([]);
  });
});
