import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import type { AttributeValue } from 'nestjs-distributed-session';
import { IsGiven, RawJson } from '../http/dto-rules.js';
import { ANY_JSON } from '../openapi/any-json.js';

/** The value of one attribute: any JSON. */
export class AttributeBody {
  @ApiProperty({ ...(ANY_JSON as ApiPropertyOptions), example: 'admin' })
  @RawJson()
  @IsGiven()
  readonly value!: AttributeValue;
}
