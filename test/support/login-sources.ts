/** The files that a user adds to an application of `nest new`: the module with the library, a controller, and its tests. */
export function loginSources(extension: '' | '.js'): Readonly<Record<string, string>> {
  return {
    'src/app.module.ts': `
import { Module } from '@nestjs/common';
import { DistributedSessionModule, InMemorySessionStorage } from 'nestjs-distributed-session';
import { AppController } from './app.controller${extension}';
import { AppService } from './app.service${extension}';
import { LoginController } from './login.controller${extension}';

@Module({
  imports: [DistributedSessionModule.forRoot({ serviceId: 'service-main', storage: new InMemorySessionStorage() })],
  controllers: [AppController, LoginController],
  providers: [AppService],
})
export class AppModule {}
`,
    'src/login.controller.ts': LOGIN_CONTROLLER,
    'src/login.controller.spec.ts': loginSpec(extension),
    'src/storage.spec.ts': STORAGE_SPEC,
  };
}

/** The constructor's parameter is injected by its type alone. The types of the last two members are inferred. */
const LOGIN_CONTROLLER = `
import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { CurrentSession, DistributedSessionManager, type Session, SessionGuard } from 'nestjs-distributed-session';

@Controller()
export class LoginController {
  constructor(private readonly sessions: DistributedSessionManager) {}

  @Post('login')
  async login() {
    const { credential } = await this.sessions.createSession('user123', undefined, { attributes: { role: 'admin' } });
    return { credential };
  }

  @Get('me')
  @UseGuards(SessionGuard)
  me(@CurrentSession() session: Session) {
    return { loginId: session.loginId, role: session.attributes['role'] };
  }

  create = () => this.sessions.createSession('user123');
  owner = () => this.sessions;
}
`;

/** Uses every entry point but one, and what only native or ES module packages provide. */
const loginSpec = (extension: '' | '.js') => `
import { Test } from '@nestjs/testing';
import {
  DistributedSessionManager,
  DistributedSessionModule,
  InMemorySessionStorage,
  OptionsError,
  SessionEndedError,
} from 'nestjs-distributed-session';
import { PostgresSessionStorage } from 'nestjs-distributed-session/postgres';
import { RedisSessionStorage } from 'nestjs-distributed-session/redis';
import { SessionStorage } from 'nestjs-distributed-session/storage';
import { DistributedSessionHealthIndicator } from 'nestjs-distributed-session/terminus';
import { FakeClock } from 'nestjs-distributed-session/testing';
import { LoginController } from './login.controller${extension}';

describe('LoginController', () => {
  it('creates sessions that expire', async () => {
    const clock = new FakeClock();
    const storage = new InMemorySessionStorage({ clock });
    const module = await Test.createTestingModule({
      imports: [DistributedSessionModule.forRoot({ serviceId: 'main', storage })],
      controllers: [LoginController],
    }).compile();
    await module.init();
    const sessions = module.get(DistributedSessionManager);
    const { credential } = await module.get(LoginController).login();
    expect((await sessions.verifySession(credential)).loginId).toBe('user123');
    clock.advance(3_600_001);
    await expect(sessions.verifySession(credential)).rejects.toBeInstanceOf(SessionEndedError);

    const secretKey = 'correct horse battery staple';
    await sessions.registerService({ serviceId: 'gateway', serviceName: 'Gateway', permissions: [], secretKey });
    expect((await sessions.verifyService('gateway', secretKey)).serviceId).toBe('gateway');
    await module.close();
  });
});

describe('the entry points', () => {
  it('share their classes, which keep their names', () => {
    const storages = [InMemorySessionStorage, RedisSessionStorage, PostgresSessionStorage];
    expect(storages.every(({ prototype }) => prototype instanceof SessionStorage)).toBe(true);
    const names = [...storages, DistributedSessionHealthIndicator].map(({ name }) => name);
    expect(names).toEqual([
      'InMemorySessionStorage',
      'RedisSessionStorage',
      'PostgresSessionStorage',
      'DistributedSessionHealthIndicator',
    ]);
    expect(() => new RedisSessionStorage({ urll: '' } as never)).toThrow(OptionsError);
  });
});
`;

/** Runs both suites for storages, as the author of a driver does. */
const STORAGE_SPEC = `
import { InMemorySessionStorage } from 'nestjs-distributed-session';
import { FakeClock, describeManagerOn, describeSessionStorage } from 'nestjs-distributed-session/testing';

const create = () => {
  const clock = new FakeClock();
  return { storage: new InMemorySessionStorage({ clock }), clock };
};

describeSessionStorage('my storage', create, { drivenClock: true });
describeManagerOn('my storage', create, { drivenClock: true });
`;
