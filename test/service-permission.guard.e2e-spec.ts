import { type CanActivate, Controller, Get, Post, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AllowAnonymousService,
  CurrentService,
  CurrentSession,
  DistributedSessionManager,
  InMemorySessionStorage,
  type IssuedSession,
  RequireServicePermission,
  ServiceAuthGuard,
  type ServiceCredential,
  ServicePermissionGuard,
  type Session,
  SessionAttribute,
  SessionGuard,
  forSomeAttributes,
} from 'nestjs-distributed-session';
import { ADAPTERS } from './support/adapters.js';
import { cookie, serviceHeaders } from './support/credential-headers.js';
import { send } from './support/http-request.js';
import { type RunningApp, closeApps, startSessionApp } from './support/running-app.js';

@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
@RequireServicePermission('session.read')
class ReadingController {
  @Get('inherited')
  inherited() {
    return 'inherited';
  }
}

@Controller('shop')
@RequireServicePermission('shop.open')
class ShopController extends ReadingController {
  @Get('class')
  onClass() {
    return 'class';
  }

  @Get('both')
  @RequireServicePermission('session.write', 'shop.sell')
  both() {
    return 'both';
  }

  @Get('anonymous')
  @AllowAnonymousService()
  anonymous(@CurrentService() service?: ServiceCredential) {
    return service?.serviceId ?? 'anonymous';
  }
}

@UseGuards(ServiceAuthGuard, ServicePermissionGuard)
@AllowAnonymousService()
@Controller('lobby')
class LobbyController {
  @Get()
  enter() {
    return 'lobby';
  }

  @Get('office')
  @RequireServicePermission('session.list')
  office() {
    return 'office';
  }
}

@UseGuards(ServiceAuthGuard, ServicePermissionGuard, SessionGuard)
@Controller('cart')
class RestrictedCartController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Get()
  @RequireServicePermission(forSomeAttributes('session.read'))
  visible(@CurrentSession() session: Session, @SessionAttribute('role') role?: string) {
    return { attributes: session.attributes, role: role ?? 'hidden' };
  }

  @Get('items')
  @RequireServicePermission('session.read:cart.items')
  items(@SessionAttribute('cart.items') items: string[]) {
    return items;
  }

  @Get('all')
  @RequireServicePermission('session.read')
  all(@CurrentSession() session: Session) {
    return session.attributes;
  }

  @Post('role')
  @RequireServicePermission(forSomeAttributes('session.write'))
  async promote(@CurrentService() service: ServiceCredential, @CurrentSession() { sessionId }: Session) {
    const outcome = await this.sessions
      .as(service)
      .setAttribute(sessionId, 'role', 'admin')
      .then(
        () => 'written',
        (error: { code: string }) => error.code,
      );
    return { outcome };
  }
}

/** Lets every request pass, as an authenticating guard does that finds no service. */
class LenientGuard implements CanActivate {
  canActivate() {
    return true;
  }
}

@Controller('unauthenticated')
class UnauthenticatedController {
  @Get()
  @UseGuards(LenientGuard, ServicePermissionGuard)
  @RequireServicePermission('session.read')
  show() {
    return 'unauthenticated';
  }
}

describe.each(ADAPTERS)('ServicePermissionGuard on %s', (_name, makeAdapter) => {
  let shop: RunningApp;

  beforeEach(async () => {
    const controllers = [ShopController, LobbyController, RestrictedCartController, UnauthenticatedController];
    shop = await startSessionApp(
      makeAdapter,
      { serviceId: 'shop', storage: new InMemorySessionStorage() },
      { controllers },
    );
  });

  afterEach(closeApps);

  /** Registers a service with these permissions and returns its headers. */
  async function serviceWith(...permissions: string[]) {
    const serviceId = `service-${(await shop.sessions.listServices()).length}`;
    const { secret } = await shop.sessions.registerService({ serviceId, serviceName: serviceId, permissions });
    return serviceHeaders(serviceId, secret);
  }

  test.each<[string, string[], number, string | undefined]>([
    ['/shop/class', ['session.read', 'shop.open'], 200, undefined],
    ['/shop/class', ['*'], 200, undefined],
    ['/shop/class', ['session.*', 'shop.*'], 200, undefined],
    ['/shop/class', ['shop.open'], 403, 'session.read'],
    ['/shop/class', ['session.read'], 403, 'shop.open'],
    ['/shop/class', ['session.read:cart.*', 'shop.open'], 403, 'session.read'],
    ['/shop/class', [], 403, 'session.read'],
    ['/shop/inherited', ['session.read', 'shop.open'], 200, undefined],
    ['/shop/inherited', ['session.read'], 403, 'shop.open'],
    ['/shop/both', ['session.read', 'shop.open', 'session.write', 'shop.sell'], 200, undefined],
    ['/shop/both', ['session.write', 'shop.sell'], 403, 'session.read'],
    ['/shop/both', ['session.read', 'shop.open', 'shop.sell'], 403, 'session.write'],
    ['/shop/both', ['session.read', 'shop.open', 'session.write'], 403, 'shop.sell'],
    ['/shop/class', ['session.list', 'shop.open'], 403, 'session.read'],
    ['/shop/anonymous', [], 200, undefined],
    ['/lobby', [], 200, undefined],
    ['/lobby/office', ['session.list'], 200, undefined],
    ['/lobby/office', ['session.read'], 403, 'session.list'],
  ])('responds on %s to a service with the permissions %j with %i', async (path, permissions, status, missing) => {
    const answer = await send(shop.url + path, await serviceWith(...permissions));
    const refused = { statusCode: 403, code: 'ERR_SERVICE_PERMISSION', permission: missing };
    expect(answer).toMatchObject(missing === undefined ? { status } : { status, json: refused });
  });

  test.each([
    ['/shop/class', 401],
    ['/shop/both', 401],
    ['/shop/inherited', 401],
    ['/shop/anonymous', 200],
    ['/lobby', 200],
    ['/lobby/office', 401],
  ])('responds on %s to a request without a credential with %i', async (path, status) => {
    expect((await send(shop.url + path)).status).toBe(status);
  });

  test('responds with 401 if the guard before it authenticated no service', async () => {
    const answer = await send(`${shop.url}/unauthenticated`, await serviceWith('*'));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /);
  });

  test('rejects the next request of a service after its revocation', async () => {
    const headers = await serviceWith('session.read', 'shop.open');
    expect((await send(`${shop.url}/shop/class`, headers)).status).toBe(200);
    await shop.sessions.revokeService(headers['x-service-id']!);
    expect((await send(`${shop.url}/shop/class`, headers)).status).toBe(401);
  });

  describe('before SessionGuard', () => {
    const attributes = { 'cart.items': ['tea'], 'cart.total': 7, role: 'user' };
    let alice: IssuedSession;

    beforeEach(async () => {
      alice = await shop.sessions.createSession('alice', undefined, { attributes });
    });

    const call = async (path: string, permissions: string[], method = 'GET') =>
      send(shop.url + path, { ...(await serviceWith(...permissions)), ...cookie(alice.credential) }, method);

    test('shows a service only the attributes that it may read', async () => {
      const { 'cart.items': items, 'cart.total': total } = attributes;
      const narrowed = { attributes: { 'cart.items': items, 'cart.total': total }, role: 'hidden' };
      expect((await call('/cart', ['session.read:cart.*'])).json).toEqual(narrowed);
      expect((await call('/cart', ['session.read:role'])).json).toEqual({ attributes: { role: 'user' }, role: 'user' });
      expect((await call('/cart', ['session.read'])).json).toEqual({ attributes, role: 'user' });
    });

    test('requires permission for the attributes that the route declares', async () => {
      expect((await call('/cart/items', ['session.read:cart.*'])).json).toEqual(['tea']);
      expect((await call('/cart/items', ['session.read:cart.items'])).json).toEqual(['tea']);
      expect((await call('/cart/items', ['session.read:cart.total'])).status).toBe(403);
      expect((await call('/cart/all', ['session.read:cart.*'])).status).toBe(403);
      expect((await call('/cart', ['session.write'])).status).toBe(403);
    });

    test('leaves it to the manager to reject a write to a forbidden attribute', async () => {
      const narrowed = await call('/cart/role', ['session.read:cart.*', 'session.write:cart.*'], 'POST');
      expect(narrowed.json).toEqual({ outcome: 'ERR_SERVICE_PERMISSION' });
      expect(await shop.sessions.getAttribute(alice.sessionId, 'role')).toBe('user');
      expect((await call('/cart/role', ['session.read:role', 'session.write:role'], 'POST')).json).toEqual({
        outcome: 'written',
      });
    });

    test('responds with 403 to a service that may not read sessions, whether the session is live or not', async () => {
      const headers = { ...(await serviceWith('session.write')), ...cookie(`${alice.sessionId}.wrong`) };
      const answer = await send(`${shop.url}/cart/role`, headers, 'POST');
      expect(answer.status).toBe(403);
      expect(answer.json).toMatchObject({ permission: 'session.read' });
    });
  });
});
