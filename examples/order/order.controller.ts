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

/** Serves users who logged in at another service: the guard authenticates the session. */
@UseGuards(SessionGuard)
@Controller()
export class OrderController {
  constructor(@Inject(DistributedSessionManager) private readonly sessions: SharedSessions) {}

  /** The user's shared attributes: the user service wrote the role, pay wrote the receipt. */
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
