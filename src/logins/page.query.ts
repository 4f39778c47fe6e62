import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { IfGiven, NumberInQuery } from '../http/dto-rules.js';

export const DEFAULT_PAGE_LIMIT = 100;

/** Which page of a list. */
export class PageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 1_000, default: DEFAULT_PAGE_LIMIT })
  @IfGiven()
  @NumberInQuery()
  @IsInt()
  @Min(1)
  @Max(1_000)
  readonly limit?: number;

  @ApiPropertyOptional({ maxLength: 512, description: 'The `nextCursor` of the page before; absent for the first.' })
  @IfGiven()
  @IsString()
  readonly cursor?: string;
}
