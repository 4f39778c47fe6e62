import { Body, Controller, Get, Inject, Post, UseGuards } from '@nestjs/common';
import { Length } from 'class-validator';
import {
  CurrentSession,
  DistributedSessionManager,
  type JsonValue,
  type Session,
  SessionAttribute,
  SessionGuard,
} from 'nestjs-distributed-session';
import type { SharedSessions } from '../service/shared-sessions.js';

/** The body of `POST /orders`. */
class OrderRequest {
  @Length(1, 100)
  readonly article!: string;
}

/** Serves users who logged in elsewhere: the guard finds out whose session it is. */
@UseGuards(SessionGuard)
@Controller()
export class OrderController {
  constructor(@Inject(DistributedSessionManager) private readonly sessions: SharedSessions) {}

  /** The user as all services know them: the role comes from user, the receipt from pay. */
  @Get('me')
  show(
    @CurrentSession() { loginId, device }: Session,
    @SessionAttribute('role') role?: string,
    @SessionAttribute('pay.lastReceipt') lastReceipt: JsonValue = null,
  ) {
    return { user: loginId, device, role, lastReceipt };
  }

  @Post('orders')
  async order(@CurrentSession() { sessionId }: Session, @Body() { article }: OrderRequest) {
    await this.sessions.setAttribute(sessionId, 'order.last', article);
    return { ordered: article };
  }
}
