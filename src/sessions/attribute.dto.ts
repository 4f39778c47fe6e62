import { ApiParam, ApiProperty, type ApiPropertyOptions, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsObject, IsString } from 'class-validator';
import {
  type AttributeInput,
  type AttributeValue,
  DEFAULT_ATTRIBUTE_LIMITS,
  INPUT_LIMITS,
  type JsonValue,
} from 'nestjs-distributed-session';
import { IfGiven, IsGiven, RawJson } from '../http/dto-rules.js';

/** Describes the attribute key in a path. */
export const ApiAttributeKey = (): MethodDecorator =>
  ApiParam({
    name: 'key',
    description: 'The key of the attribute.',
    schema: { type: 'string', minLength: 1, maxLength: DEFAULT_ATTRIBUTE_LIMITS.maxKeyLength, example: 'role' },
  });

/** The schema of any JSON value. Without it, `@nestjs/swagger` describes the property as an object. */
const ANY_JSON = {
  oneOf: [
    { type: 'null' },
    { type: 'boolean' },
    { type: 'number' },
    { type: 'string' },
    { type: 'array', items: {} },
    { type: 'object', additionalProperties: true },
  ],
} as ApiPropertyOptions;

/** The value of one attribute. Its type is not restricted: every JSON value is valid (RFC 8259). */
export class AttributeBody {
  @ApiProperty({ ...ANY_JSON, description: 'The new value.', example: 'admin' })
  @RawJson()
  @IsGiven()
  readonly value!: AttributeValue;
}

/** Changes to some attributes. All others are kept. */
export class PatchAttributesBody {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'The attributes to set, by key.',
    example: { 'order.last': 'A-17' },
  })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly set?: AttributeInput;

  @ApiPropertyOptional({
    type: [String],
    maxItems: INPUT_LIMITS.maxRemovedKeys,
    description: 'The keys of the attributes to remove, whether or not they are set.',
    example: ['cart'],
  })
  @IfGiven()
  @RawJson()
  @IsArray()
  @IsString({ each: true })
  readonly remove?: readonly string[];
}

/** One attribute of a session. */
export class AttributeResponse {
  @ApiProperty({ description: 'The key of the attribute.', example: 'role' })
  readonly key!: string;

  @ApiProperty({ ...ANY_JSON, description: 'The value of the attribute.', example: 'admin' })
  readonly value!: JsonValue;

  @ApiProperty({ type: 'integer', minimum: 1, description: "The session's version when the attribute was read." })
  readonly version!: number;
}

/** The attributes of a session that the calling service may read. */
export class AttributesResponse {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The attributes that the calling service may read, by key.',
    example: { role: 'admin', department: 'sales' },
  })
  readonly attributes!: Readonly<Record<string, JsonValue>>;

  @ApiProperty({ type: 'integer', minimum: 1, description: "The session's version when the attributes were read." })
  readonly version!: number;
}
