import { ConflictException, Controller, Inject, Post, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  DistributedSessionManager,
  type Session,
  SessionAttribute,
  SessionGuard,
} from 'nestjs-distributed-session';
import type { SharedSessions } from '../service/shared-sessions.js';

/** Takes payments, and notes them in the user's session for the other services. */
@UseGuards(SessionGuard)
@Controller()
export class PaymentsController {
  #payments = 0;

  constructor(@Inject(DistributedSessionManager) private readonly sessions: SharedSessions) {}

  /** Pays for what the order service noted. */
  @Post('payments')
  async pay(@CurrentSession() { sessionId }: Session, @SessionAttribute('order.last') article?: string) {
    if (article === undefined) throw new ConflictException('There is nothing to pay: order something first.');
    const receipt = { number: `R-${++this.#payments}`, article };
    await this.sessions.setAttribute(sessionId, 'pay.lastReceipt', receipt);
    return receipt;
  }

  /** Goes too far: the role belongs to the user service. pay may write `pay.*` alone, so this is always refused. */
  @Post('upgrades')
  async upgrade(@CurrentSession() { sessionId }: Session) {
    const { attributes } = await this.sessions.setAttribute(sessionId, 'role', 'gold');
    return { role: attributes['role'] };
  }
}
