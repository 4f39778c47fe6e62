import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import type { JsonValue } from 'nestjs-distributed-session';
import { ANY_JSON } from '../openapi/any-json.js';

/** One attribute of a session. */
export class AttributeResponse {
  @ApiProperty({ example: 'role' })
  readonly key!: string;

  @ApiProperty({ ...(ANY_JSON as ApiPropertyOptions), example: 'admin' })
  readonly value!: JsonValue;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version of the session that it was read from.' })
  readonly version!: number;
}

/** The attributes of a session that the calling service may read. */
export class AttributesResponse {
  @ApiProperty({ type: 'object', additionalProperties: true, example: { role: 'admin', department: 'sales' } })
  readonly attributes!: Readonly<Record<string, JsonValue>>;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'The version of the session that they were read from.' })
  readonly version!: number;
}
