import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { UnreadableCause } from 'nestjs-distributed-session';
import { timeSchema } from '../openapi/time.schema.js';
import { UNREADABLE_CAUSE } from '../openapi/unreadable-cause.schema.js';

/** A live session in a list that this instance cannot read, with the fields that it could read. */
export class UnreadableSessionResponse {
  @ApiProperty(UNREADABLE_CAUSE)
  readonly unreadable!: UnreadableCause;

  @ApiProperty({ format: 'uuid', description: 'Identifies the session, for example to end it.' })
  readonly sessionId!: string;

  @ApiProperty({ description: 'The user of the session.', example: 'user123' })
  readonly loginId!: string;

  @ApiPropertyOptional({ description: 'The service that created the session.', example: 'user' })
  readonly serviceId?: string;

  @ApiPropertyOptional({ description: 'The device label given at login.', example: 'web' })
  readonly device?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Increases with each write.' })
  readonly version?: number;

  @ApiPropertyOptional(timeSchema('When the user logged in.'))
  readonly createdAt?: number;

  @ApiPropertyOptional(timeSchema('When the last access was recorded.'))
  readonly lastAccessedAt?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'Idle timeout in milliseconds.' })
  readonly idleTimeoutMs?: number;

  @ApiPropertyOptional(timeSchema('When the session expires if it is not used.'))
  readonly expiresAt?: number;

  @ApiPropertyOptional(timeSchema('When the session expires even if it is used.'))
  readonly absoluteExpiresAt?: number;
}
