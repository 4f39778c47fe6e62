import { ApiProperty } from '@nestjs/swagger';
import { IsObject } from 'class-validator';
import type { AttributeInput } from 'nestjs-distributed-session';
import { RawJson } from '../http/dto-rules.js';

/** What a session is to have from now on. An attribute that the caller may not read stays as it is. */
export class ReplaceSessionBody {
  @ApiProperty({ type: 'object', additionalProperties: true, example: { role: 'admin' } })
  @RawJson()
  @IsObject()
  readonly attributes!: AttributeInput;
}
