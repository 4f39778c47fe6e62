import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  DEFAULT_PAGE_SIZE,
  DistributedSessionManager,
  type LoginPage,
  type SessionCounts,
} from 'nestjs-distributed-session';
import { CallerSessions } from '../http/calling-service.js';
import { Operation } from '../openapi/operation.decorator.js';
import {
  ApiLoginId,
  EndAllSessionsQuery,
  EndSessionsOfQuery,
  EndedCountResponse,
  HistoryResponse,
  LoginPageQuery,
  LoginPageResponse,
  LoginQuery,
  OnlineCountsResponse,
  PageQuery,
  SessionPageResponse,
} from './login.dto.js';
import { type SessionPage, pageOf } from './session-page.js';

const BY_QUERY =
  'As `/v1/logins/{loginId}/…`, for every login id: clients and proxies change paths with segments such as `..`, `%2F` or `%00`.';

/** The users, their live sessions and their session history. */
@ApiTags('Logins')
@Controller('v1')
export class LoginsController {
  @Get('logins')
  @Operation({
    summary: 'List online users',
    permissions: ['session.list'],
    response: { type: LoginPageResponse, description: 'A page of users, each with the number of live sessions.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  listLogins(@CallerSessions() sessions: DistributedSessionManager, @Query() page: PageQuery): Promise<LoginPage> {
    return sessions.listLogins(page);
  }

  @Get('counts')
  @Operation({
    summary: 'Count live sessions and online users',
    permissions: ['session.list'],
    response: {
      type: OnlineCountsResponse,
      description: 'The numbers of live sessions and of users with a live session.',
    },
  })
  countOnline(@CallerSessions() sessions: DistributedSessionManager): Promise<SessionCounts> {
    return sessions.countOnline();
  }

  @Get('sessions')
  @Operation({
    summary: "List a user's sessions, by query",
    description: BY_QUERY,
    permissions: ['session.list'],
    response: { type: SessionPageResponse, description: 'A page of sessions.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async listSessionsOf(
    @CallerSessions() sessions: DistributedSessionManager,
    @Query() { loginId, limit = DEFAULT_PAGE_SIZE, cursor }: LoginPageQuery,
  ): Promise<SessionPage> {
    return pageOf(await sessions.getSessionsByLoginId(loginId), limit, cursor);
  }

  @Delete('sessions')
  @Operation({
    summary: "End a user's sessions, by query",
    description: BY_QUERY,
    permissions: ['session.delete'],
    response: { type: EndedCountResponse, description: 'The number of sessions that ended.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async deleteSessionsOf(
    @CallerSessions() sessions: DistributedSessionManager,
    @Query() { loginId, except, ...options }: EndSessionsOfQuery,
  ): Promise<EndedCountResponse> {
    return { ended: await sessions.deleteAllSessions(loginId, { ...options, exceptSessionId: except }) };
  }

  @Get('history')
  @Operation({
    summary: "Read a user's session history, by query",
    description: BY_QUERY,
    permissions: ['session.list'],
    response: { type: HistoryResponse, description: 'The sessions that ended last.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async getHistoryOf(
    @CallerSessions() sessions: DistributedSessionManager,
    @Query() { loginId }: LoginQuery,
  ): Promise<HistoryResponse> {
    return { history: await sessions.getSessionHistory(loginId) };
  }

  @Get('logins/:loginId/sessions')
  @ApiLoginId()
  @Operation({
    summary: "List a user's sessions",
    description:
      'Listing does not count as an access. A page ends at `limit` sessions or 1 MiB, and has at least one session.',
    permissions: ['session.list'],
    response: { type: SessionPageResponse, description: 'A page of sessions.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async listSessions(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('loginId') loginId: string,
    @Query() { limit = DEFAULT_PAGE_SIZE, cursor }: PageQuery,
  ): Promise<SessionPage> {
    return pageOf(await sessions.getSessionsByLoginId(loginId), limit, cursor);
  }

  @Delete('logins/:loginId/sessions')
  @ApiLoginId()
  @Operation({
    summary: "End a user's sessions",
    permissions: ['session.delete'],
    response: { type: EndedCountResponse, description: 'The number of sessions that ended.' },
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
    summary: "Read a user's session history",
    description: 'Shows why, when and by whom each session was ended.',
    permissions: ['session.list'],
    response: { type: HistoryResponse, description: 'The sessions that ended last.' },
    problems: ['ERR_SESSION_INPUT'],
  })
  async getSessionHistory(
    @CallerSessions() sessions: DistributedSessionManager,
    @Param('loginId') loginId: string,
  ): Promise<HistoryResponse> {
    return { history: await sessions.getSessionHistory(loginId) };
  }
}
