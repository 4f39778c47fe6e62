import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsObject, IsString, ValidateIf } from 'class-validator';
import { type AttributeInput, MAX_DURATION_MS } from 'nestjs-distributed-session';
import { IfGiven, RawJson } from '../http/dto-rules.js';

/** What is known of the client at login. The library checks it. */
class SessionClientBody {
  @ApiPropertyOptional({ minLength: 1, maxLength: 64, example: '203.0.113.7' })
  readonly ip?: string;

  @ApiPropertyOptional({ minLength: 1, maxLength: 1_024, example: 'Firefox' })
  readonly userAgent?: string;
}

const TIMEOUT = { type: 'integer', nullable: true, minimum: 1, maximum: MAX_DURATION_MS } as const;

/** A login. */
export class CreateSessionBody {
  @ApiProperty({
    minLength: 1,
    maxLength: 256,
    description: 'Whose session it is: any characters.',
    example: 'user123',
  })
  @IsString()
  readonly loginId!: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: 4_000,
    pattern: '^[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]+$',
    description: 'A token of your own. Leave it out: 256 random bits are one.',
    example: 'a-token-of-your-own',
  })
  @IfGiven()
  @IsString()
  readonly token?: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: 64,
    description: 'A label; the limit per device counts by it.',
    example: 'web',
  })
  @IfGiven()
  @IsString()
  readonly device?: string;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { role: 'customer' } })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly attributes?: AttributeInput;

  @ApiPropertyOptional({ type: SessionClientBody })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly client?: SessionClientBody;

  @ApiPropertyOptional({
    ...TIMEOUT,
    description: "Instead of the service's own; `null` switches it off.",
    example: 900_000,
  })
  @IfGiven()
  @ValidateIf((_body, value) => value !== null)
  @IsInt()
  readonly idleTimeoutMs?: number | null;

  @ApiPropertyOptional({
    ...TIMEOUT,
    description: "Instead of the service's own; `null` switches it off.",
    example: 43_200_000,
  })
  @IfGiven()
  @ValidateIf((_body, value) => value !== null)
  @IsInt()
  readonly absoluteTimeoutMs?: number | null;
}
