import { ConflictException, Controller, Inject, Post, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  DistributedSessionManager,
  type Session,
  SessionAttribute,
  SessionGuard,
} from 'nestjs-distributed-session';
import type { SharedSessions } from '../service/shared-sessions.js';

/** Takes payments and writes receipts into the user's session, for the other services to read. */
@UseGuards(SessionGuard)
@Controller()
export class PaymentsController {
  #payments = 0;

  constructor(@Inject(DistributedSessionManager) private readonly sessions: SharedSessions) {}

  /** Pays for the order that the order service wrote into the session. */
  @Post('payments')
  async pay(@CurrentSession() { sessionId }: Session, @SessionAttribute('order.last') article?: string) {
    if (article === undefined) throw new ConflictException('There is nothing to pay. Place an order first.');
    const receipt = { number: `R-${++this.#payments}`, article };
    await this.sessions.setAttribute(sessionId, 'pay.lastReceipt', receipt);
    return receipt;
  }

  /** Exceeds pay's permissions: it may write `pay.*` only, and the role belongs to the user service. Always rejected. */
  @Post('upgrades')
  async upgrade(@CurrentSession() { sessionId }: Session) {
    const { attributes } = await this.sessions.setAttribute(sessionId, 'role', 'gold');
    return { role: attributes['role'] };
  }
}
