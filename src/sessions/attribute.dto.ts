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

/** The value of one attribute: any JSON value. */
export class AttributeBody {
  @ApiProperty({ ...ANY_JSON, example: 'admin' })
  @RawJson()
  @IsGiven()
  readonly value!: AttributeValue;
}

/** Changes to some attributes. All others are kept. */
export class PatchAttributesBody {
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { 'order.last': 'A-17' } })
  @IfGiven()
  @RawJson()
  @IsObject()
  readonly set?: AttributeInput;

  @ApiPropertyOptional({ type: [String], maxItems: INPUT_LIMITS.maxRemovedKeys, example: ['cart'] })
  @IfGiven()
  @RawJson()
  @IsArray()
  @IsString({ each: true })
  readonly remove?: readonly string[];
}

/** One attribute of a session. */
export class AttributeResponse {
  @ApiProperty({ example: 'role' })
  readonly key!: string;

  @ApiProperty({ ...ANY_JSON, example: 'admin' })
  readonly value!: JsonValue;

  @ApiProperty({ type: 'integer', minimum: 1, description: "The session's version when the attribute was read." })
  readonly version!: number;
}

/** The attributes of a session that the calling service may read. */
export class AttributesResponse {
  @ApiProperty({ type: 'object', additionalProperties: true, example: { role: 'admin', department: 'sales' } })
  readonly attributes!: Readonly<Record<string, JsonValue>>;

  @ApiProperty({ type: 'integer', minimum: 1, description: "The session's version when the attributes were read." })
  readonly version!: number;
}
