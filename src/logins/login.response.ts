import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { END_REASONS, type EndReason } from 'nestjs-distributed-session';
import { SessionResponse } from '../sessions/session.response.js';

/** A login that is online. */
class OnlineLoginResponse {
  @ApiProperty({ example: 'user123' })
  readonly loginId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'How many live sessions it has.', example: 3 })
  readonly sessions!: number;
}

export class LoginPageResponse {
  @ApiProperty({ type: [OnlineLoginResponse] })
  readonly logins!: readonly OnlineLoginResponse[];

  @ApiPropertyOptional({ description: 'Absent on the last page.' })
  readonly nextCursor?: string;
}

export class SessionPageResponse {
  @ApiProperty({ type: [SessionResponse], description: 'In the order of their creation.' })
  readonly sessions!: readonly SessionResponse[];

  @ApiProperty({ type: 'integer', minimum: 0, description: 'How many live sessions the login has, on all pages.' })
  readonly total!: number;

  @ApiPropertyOptional({ description: 'Absent on the last page.' })
  readonly nextCursor?: string;
}

/** How a session ended. */
class HistoryEntryResponse {
  @ApiProperty({ format: 'uuid' })
  readonly sessionId!: string;

  @ApiProperty({ example: 'user123' })
  readonly loginId!: string;

  @ApiProperty({ description: 'The service that created it.', example: 'user' })
  readonly serviceId!: string;

  @ApiPropertyOptional({ example: 'web' })
  readonly device?: string;

  @ApiProperty({ type: 'integer' })
  readonly createdAt!: number;

  @ApiProperty({ type: 'integer' })
  readonly lastAccessedAt!: number;

  @ApiProperty({ enum: END_REASONS })
  readonly reason!: EndReason;

  @ApiProperty({ type: 'integer' })
  readonly endedAt!: number;

  @ApiProperty({ description: 'The service that ended it, or `@expiry`.', example: 'user' })
  readonly endedBy!: string;

  @ApiPropertyOptional({ description: 'On whose behalf.', example: 'admin@example.com' })
  readonly actor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The session that took over, when it was rotated.' })
  readonly rotatedTo?: string;
}

export class HistoryResponse {
  @ApiProperty({ type: [HistoryEntryResponse], description: 'The last ended first, at most 50.' })
  readonly history!: readonly HistoryEntryResponse[];
}

export class EndedCountResponse {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'How many sessions ended.', example: 2 })
  readonly ended!: number;
}

export class OnlineCountsResponse {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Live sessions.', example: 12 })
  readonly sessions!: number;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Logins that have any.', example: 7 })
  readonly logins!: number;
}
