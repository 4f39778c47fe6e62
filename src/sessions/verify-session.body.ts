import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString } from 'class-validator';
import { IfGiven } from '../http/dto-rules.js';

/** What a client presented. It stands in the body, because a URL is logged. */
export class VerifySessionBody {
  @ApiProperty({
    maxLength: 4_037,
    description: '`<sessionId>.<token>`',
    example: '01995f3e-7a1b-4c1d-8e2f-3a4b5c6d7e8f.sgJ2…',
  })
  @IsString()
  readonly credential!: string;

  @ApiPropertyOptional({ default: true, description: 'Whether this counts as an access that keeps the session alive.' })
  @IfGiven()
  @IsBoolean()
  readonly touch?: boolean;
}
