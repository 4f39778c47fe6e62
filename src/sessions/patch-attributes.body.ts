import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsObject, IsString } from 'class-validator';
import type { AttributeInput } from 'nestjs-distributed-session';
import { IfGiven, RawJson } from '../http/dto-rules.js';

/** A change to some attributes that leaves all others as they are. */
export class PatchAttributesBody {
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { 'order.last': 'A-17' } })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly set?: AttributeInput;

  @ApiPropertyOptional({ type: [String], maxItems: 10_000, example: ['cart'] })
  @IfGiven()
  @RawJson()
  @IsArray()
  @IsString({ each: true })
  readonly remove?: readonly string[];
}
