import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { DistributedSessionManager, type LoginPage, type SessionCounts } from 'nestjs-distributed-session';
import { CallerSessions } from '../http/caller-sessions.decorator.js';
import { Operation } from '../openapi/operation.decorator.js';
import { EndAllSessionsQuery } from './end-all-sessions.query.js';
import {
  EndedCountResponse,
  HistoryResponse,
  LoginPageResponse,
  OnlineCountsResponse,
  SessionPageResponse,
} from './login.response.js';
import { DEFAULT_PAGE_LIMIT, PageQuery } from './page.query.js';
import { type SessionPage, pageOf } from './session-page.js';

const ApiLoginId = (): MethodDecorator =>
  ApiParam({ name: 'loginId', schema: { type: 'string', minLength: 1, maxLength: 256, example: 'user123' } });

/** Users: who is online, on which devices, and how their sessions ended. */
@ApiTags('Logins')
@Controller('v1')
export class LoginsController {
  @Get('logins')
  @Operation({
    summary: 'List who is online',
    permissions: ['session.list'],
    answer: { type: LoginPageResponse, description: 'A page of logins, each with how many sessions it has.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  listLogins(@CallerSessions() sessions: DistributedSessionManager, @Query() page: PageQuery): Promise<LoginPage> {
    return sessions.listLogins(page);
  }

  @Get('counts')
  @Operation({
    summary: 'Count what is online',
    permissions: ['session.list'],
    answer: { type: OnlineCountsResponse, description: 'Sessions, and logins that have any.' },
  })
  countOnline(@CallerSessions() sessions: DistributedSessionManager): Promise<SessionCounts> {
    return sessions.countOnline();
  }

  @Get('logins/:loginId/sessions')
  @ApiLoginId()
  @Operation({
    summary: "List a user's sessions",
    description: 'Looking keeps none alive.',
    permissions: ['session.list'],
    answer: { type: SessionPageResponse, description: 'A page of sessions.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async listSessions(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('loginId') loginId: string,
    @Query() { limit = DEFAULT_PAGE_LIMIT, cursor }: PageQuery,
  ): Promise<SessionPage> {
    return pageOf(await sessions.getSessionsByLoginId(loginId), limit, cursor);
  }

  @Delete('logins/:loginId/sessions')
  @ApiLoginId()
  @Operation({
    summary: "End a user's sessions",
    permissions: ['session.delete'],
    answer: { type: EndedCountResponse, description: 'How many ended.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async deleteAllSessions(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('loginId') loginId: string,
    @Query() { except, ...options }: EndAllSessionsQuery,
  ): Promise<EndedCountResponse> {
    return { ended: await sessions.deleteAllSessions(loginId, { ...options, exceptSessionId: except }) };
  }

  @Get('logins/:loginId/history')
  @ApiLoginId()
  @Operation({
    summary: "See how a user's sessions ended",
    description: 'Why, when, and by whom.',
    permissions: ['session.list'],
    answer: { type: HistoryResponse, description: 'The newest endings.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async getSessionHistory(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('loginId') loginId: string,
  ): Promise<HistoryResponse> {
    return { history: await sessions.getSessionHistory(loginId) };
  }
}
