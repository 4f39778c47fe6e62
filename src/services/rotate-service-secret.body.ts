import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsString } from 'class-validator';
import { MAX_DURATION_MS } from 'nestjs-distributed-session';
import { IfGiven } from '../http/dto-rules.js';
import { CHOSEN_SECRET } from './chosen-secret.js';

/** A new secret for a service. */
export class RotateServiceSecretBody {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_DURATION_MS,
    default: 86_400_000,
    description: 'How long the secret until now stays good, in milliseconds; 0 ends all earlier ones at once.',
  })
  @IfGiven()
  @IsInt()
  readonly overlapMs?: number;

  @ApiPropertyOptional(CHOSEN_SECRET)
  @IfGiven()
  @IsString()
  readonly secretKey?: string;
}
