import { ApiExtraModels, ApiParam, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { DEFAULT_PAGE_SIZE, INPUT_LIMITS, type RecordedEndReason } from 'nestjs-distributed-session';
import { IfGiven, NumberInQuery } from '../http/dto-rules.js';
import { timeSchema } from '../openapi/time.schema.js';
import { END_REASON } from '../openapi/end-reason.schema.js';
import { IsSessionId, SESSION_ID_SCHEMA } from '../sessions/session-id.js';
import { EndSessionQuery, SessionResponse } from '../sessions/session.dto.js';
import { UnreadableSessionResponse } from './unreadable-session.dto.js';

const LOGIN_ID_IN_QUERY = {
  minLength: 1,
  maxLength: INPUT_LIMITS.maxLoginIdLength,
  description: "The user's id.",
  example: 'user123',
} as const;

/** Describes the user in a path. */
export const ApiLoginId = (): MethodDecorator =>
  ApiParam({
    name: 'loginId',
    description: "The user's id.",
    schema: { type: 'string', minLength: 1, maxLength: INPUT_LIMITS.maxLoginIdLength, example: 'user123' },
  });

/** The requested page of a list. */
export class PageQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: INPUT_LIMITS.maxPageSize,
    default: DEFAULT_PAGE_SIZE,
    description: 'The maximum number of entries on the page.',
  })
  @IfGiven()
  @NumberInQuery()
  @IsInt()
  @Min(1)
  @Max(INPUT_LIMITS.maxPageSize)
  readonly limit?: number;

  @ApiPropertyOptional({
    maxLength: INPUT_LIMITS.maxCursorLength,
    description: 'The `nextCursor` of the previous page. Omit it for the first.',
  })
  @IfGiven()
  @IsString()
  readonly cursor?: string;
}

/** The sessions of a user to end, and the reason and actor recorded in the history. */
export class EndAllSessionsQuery extends EndSessionQuery {
  @ApiPropertyOptional({
    ...SESSION_ID_SCHEMA,
    description: "A session to keep, such as the user's current one.",
  })
  @IfGiven()
  @IsSessionId()
  readonly except?: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: INPUT_LIMITS.maxDeviceLength,
    description: 'Ends only the sessions with this device label, such as web.',
  })
  @IfGiven()
  @IsString()
  readonly device?: string;
}

/** A user whose id may not fit into a path. The library validates it. */
export class LoginQuery {
  @ApiProperty(LOGIN_ID_IN_QUERY)
  @IsString()
  readonly loginId!: string;
}

export class LoginPageQuery extends PageQuery {
  @ApiProperty(LOGIN_ID_IN_QUERY)
  @IsString()
  readonly loginId!: string;
}

export class EndSessionsOfQuery extends EndAllSessionsQuery {
  @ApiProperty(LOGIN_ID_IN_QUERY)
  @IsString()
  readonly loginId!: string;
}

const LOGIN_ID = { description: "The user's id.", example: 'user123' };
const NEXT_CURSOR = { description: 'The `cursor` of the next page. Absent on the last page.' };

/** A user with a live session. */
class OnlineLoginResponse {
  @ApiProperty(LOGIN_ID)
  readonly loginId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The number of live sessions.', example: 3 })
  readonly sessions!: number;
}

export class LoginPageResponse {
  @ApiProperty({ type: [OnlineLoginResponse], description: 'The users with live sessions.' })
  readonly logins!: readonly OnlineLoginResponse[];

  @ApiPropertyOptional(NEXT_CURSOR)
  readonly nextCursor?: string;
}

@ApiExtraModels(SessionResponse, UnreadableSessionResponse)
export class SessionPageResponse {
  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ $ref: getSchemaPath(SessionResponse) }, { $ref: getSchemaPath(UnreadableSessionResponse) }] },
    description:
      'The sessions, ordered by creation time. One with `unreadable` cannot be read by this instance; it can be ended.',
  })
  readonly sessions!: readonly (SessionResponse | UnreadableSessionResponse)[];

  @ApiProperty({ type: 'integer', minimum: 0, description: "The number of the user's live sessions on all pages." })
  readonly total!: number;

  @ApiPropertyOptional(NEXT_CURSOR)
  readonly nextCursor?: string;
}

/** The end of a session. */
class HistoryEntryResponse {
  @ApiProperty({ format: 'uuid', description: 'The session that ended.' })
  readonly sessionId!: string;

  @ApiProperty(LOGIN_ID)
  readonly loginId!: string;

  @ApiProperty({ description: 'The service that created the session.', example: 'user' })
  readonly serviceId!: string;

  @ApiPropertyOptional({ description: 'The device label given at login.', example: 'web' })
  readonly device?: string;

  @ApiProperty(timeSchema('When the user logged in.'))
  readonly createdAt!: number;

  @ApiProperty(timeSchema('When the last access was recorded.'))
  readonly lastAccessedAt!: number;

  @ApiProperty(END_REASON)
  readonly reason!: RecordedEndReason;

  @ApiProperty(timeSchema('When the session ended; for a timeout, when it was due.'))
  readonly endedAt!: number;

  @ApiProperty({ description: 'The service that ended the session, or `@expiry`.', example: 'user' })
  readonly endedBy!: string;

  @ApiPropertyOptional({
    description: 'The person or job on whose behalf the session ended.',
    example: 'admin@example.com',
  })
  readonly actor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The new session id after a rotation.' })
  readonly rotatedTo?: string;
}

export class HistoryResponse {
  @ApiProperty({ type: [HistoryEntryResponse], description: 'The sessions that ended, newest first, at most 50.' })
  readonly history!: readonly HistoryEntryResponse[];
}

export class EndedCountResponse {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'The number of sessions that ended.', example: 2 })
  readonly ended!: number;
}

export class OnlineCountsResponse {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'The number of live sessions.', example: 12 })
  readonly sessions!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'The number of users with a live session.', example: 7 })
  readonly logins!: number;
}
