import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** What is known of the client, for the user's list of devices. */
export class SessionClientResponse {
  @ApiPropertyOptional({ example: '203.0.113.7' })
  readonly ip?: string;

  @ApiPropertyOptional({ example: 'Firefox' })
  readonly userAgent?: string;
}

/** A session, with the attributes that the calling service may read. Times are epoch milliseconds. */
export class SessionResponse {
  @ApiProperty({ format: 'uuid', description: 'Names the session. It does not authenticate.' })
  readonly sessionId!: string;

  @ApiProperty({ description: 'Whose session it is.', example: 'user123' })
  readonly loginId!: string;

  @ApiProperty({ description: 'The service that created it.', example: 'user' })
  readonly serviceId!: string;

  @ApiPropertyOptional({ description: 'The device label given at login.', example: 'web' })
  readonly device?: string;

  @ApiPropertyOptional({ type: SessionClientResponse })
  readonly client?: SessionClientResponse;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'One more with each write. The `ETag` is this in quotes.' })
  readonly version!: number;

  @ApiProperty({ type: 'integer', example: 1_893_456_000_000 })
  readonly createdAt!: number;

  @ApiProperty({ type: 'integer', example: 1_893_456_000_000 })
  readonly lastAccessedAt!: number;

  @ApiPropertyOptional({ type: 'integer', description: 'How long the session outlives an access. Absent: no matter.' })
  readonly idleTimeoutMs?: number;

  @ApiProperty({ type: 'integer', description: 'When it ends unless it is used.', example: 1_893_459_600_000 })
  readonly expiresAt!: number;

  @ApiPropertyOptional({ type: 'integer', description: 'When it ends even if it is used.' })
  readonly absoluteExpiresAt?: number;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { role: 'customer' } })
  readonly attributes!: Readonly<Record<string, unknown>>;
}

/** A session with its secrets: the only time that they leave the service. */
export class IssuedSessionResponse extends SessionResponse {
  @ApiProperty({ description: 'Proves the session.', example: 'sgJ2…' })
  readonly token!: string;

  @ApiProperty({ description: '`<sessionId>.<token>`: what the client keeps, as a cookie or a bearer token.' })
  readonly credential!: string;
}
