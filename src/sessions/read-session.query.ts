import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { BooleanInQuery, IfGiven } from '../http/dto-rules.js';

/** How to read a session. */
export class ReadSessionQuery {
  @ApiPropertyOptional({ default: true, description: 'Whether this counts as an access that keeps the session alive.' })
  @IfGiven()
  @BooleanInQuery()
  @IsBoolean()
  readonly touch?: boolean;
}
