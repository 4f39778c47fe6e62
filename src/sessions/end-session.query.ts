import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsString } from 'class-validator';
import { CALLER_END_REASONS, type CallerEndReason } from 'nestjs-distributed-session';
import { IfGiven } from '../http/dto-rules.js';

/** What the history says of an ending. */
export class EndSessionQuery {
  @ApiPropertyOptional({ enum: CALLER_END_REASONS, default: 'logged-out' })
  @IfGiven()
  @IsIn(CALLER_END_REASONS)
  readonly reason?: CallerEndReason;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: 256,
    description: 'On whose behalf: a person, a job; such as admin@example.com.',
  })
  @IfGiven()
  @IsString()
  readonly actor?: string;
}
