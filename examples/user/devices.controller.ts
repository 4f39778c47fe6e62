import { Controller, Delete, Get, Inject, Param, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  DistributedSessionManager,
  type Session,
  SessionGuard,
  SessionNotFoundError,
} from 'nestjs-distributed-session';
import type { SharedSessions } from '../service/shared-sessions.js';

/** Lets users list their devices and end the sessions that they do not recognise. */
@UseGuards(SessionGuard)
@Controller()
export class DevicesController {
  constructor(@Inject(DistributedSessionManager) private readonly sessions: SharedSessions) {}

  @Get('devices')
  async list(@CurrentSession() current: Session) {
    const sessions = await this.sessions.getSessionsByLoginId(current.loginId);
    return sessions.map(({ sessionId, device, createdAt, lastAccessedAt }) => ({
      sessionId,
      device,
      createdAt,
      lastAccessedAt,
      isThisOne: sessionId === current.sessionId,
    }));
  }

  /** A session id is not a secret, so the session must belong to the user: other sessions are reported as not found. */
  @Delete('devices/:sessionId')
  async kickOut(@CurrentSession() { loginId }: Session, @Param('sessionId') sessionId: string) {
    const own = await this.sessions.getSessionsByLoginId(loginId);
    if (!own.some((session) => session.sessionId === sessionId)) throw new SessionNotFoundError(sessionId);
    return { ended: await this.sessions.kickOut(sessionId, { actor: loginId }) };
  }

  /** Why and when the user's sessions ended, which service ended them, and on whose behalf. */
  @Get('history')
  async history(@CurrentSession() { loginId }: Session) {
    const history = await this.sessions.getSessionHistory(loginId);
    return history.map(({ device, reason, endedAt, endedBy, actor }) => ({ device, reason, endedAt, endedBy, actor }));
  }
}
