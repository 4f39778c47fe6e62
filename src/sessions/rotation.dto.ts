import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsString } from 'class-validator';
import { INPUT_LIMITS, MAX_DURATION_MS } from 'nestjs-distributed-session';
import { IfGiven } from '../http/dto-rules.js';
import { CREDENTIAL } from './session.dto.js';

const GRACE = {
  type: 'integer',
  minimum: 0,
  maximum: MAX_DURATION_MS,
  description:
    'How long the previous credential still works, in milliseconds: at most the configured grace period, which is the default. Send 0 on a change of privileges.',
  example: 0,
} as const;

const ACTOR = {
  minLength: 1,
  maxLength: INPUT_LIMITS.maxActorLength,
  description: 'The person or job on whose behalf the session is rotated, for the history.',
  example: 'support@example.com',
};

/** The current credential of the session to rotate. It is sent in the body because URLs are logged. */
export class RotateSessionBody {
  @ApiProperty(CREDENTIAL)
  @IsString()
  readonly credential!: string;

  @ApiPropertyOptional(GRACE)
  @IfGiven()
  @IsInt()
  readonly graceMs?: number;

  @ApiPropertyOptional(ACTOR)
  @IfGiven()
  @IsString()
  readonly actor?: string;
}

/** The rotation of a session whose credential the caller does not have. */
export class RotateSessionByIdBody {
  @ApiPropertyOptional(GRACE)
  @IfGiven()
  @IsInt()
  readonly graceMs?: number;

  @ApiProperty(ACTOR)
  @IsString()
  readonly actor!: string;
}
