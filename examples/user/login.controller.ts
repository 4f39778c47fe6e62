import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { Length } from 'class-validator';
import { CurrentSession, DistributedSessionManager, type Session, SessionGuard } from 'nestjs-distributed-session';
import type { SharedSessions } from '../service/shared-sessions.js';

/** The body of `POST /login`. */
class LoginRequest {
  @Length(1, 256)
  readonly user!: string;

  /** A label for the user's list of devices, such as `web`. */
  @Length(1, 64)
  readonly device!: string;
}

/** Logs users in to all services, and out of them. */
@Controller()
export class LoginController {
  constructor(@Inject(DistributedSessionManager) private readonly sessions: SharedSessions) {}

  /** A real service verifies a password or a passkey first. */
  @Post('login')
  async logIn(@Body() { user, device }: LoginRequest) {
    const session = await this.sessions.createSession(user, undefined, { device, attributes: { role: 'customer' } });
    // A copy does not contain the credential, so it must be named to reach the client.
    return { sessionId: session.sessionId, device, credential: session.credential };
  }

  @Post('logout-everywhere')
  @HttpCode(200)
  @UseGuards(SessionGuard)
  async logOutEverywhere(@CurrentSession() { loginId }: Session) {
    return { ended: await this.sessions.deleteAllSessions(loginId, { actor: loginId }) };
  }
}
