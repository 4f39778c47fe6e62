import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import { IfGiven } from '../http/dto-rules.js';

/** What a service presented to the caller. */
export class VerifyServiceBody {
  @ApiPropertyOptional({
    description: 'Not needed with a generated secret, which names its service.',
    example: 'order',
  })
  @IfGiven()
  @IsString()
  readonly serviceId?: string;

  @ApiProperty({ example: 'dss_…' })
  @IsString()
  readonly secret!: string;

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: 256,
    description: 'Where the attempt came from, such as a client address: failures are throttled by it.',
    example: '203.0.113.7',
  })
  @IfGiven()
  @Length(1, 256)
  readonly source?: string;
}
