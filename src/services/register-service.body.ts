import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsString } from 'class-validator';
import { IfGiven, RawJson } from '../http/dto-rules.js';
import { CHOSEN_SECRET } from './chosen-secret.js';

/** A service to register. */
export class RegisterServiceBody {
  @ApiProperty({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$', maxLength: 128, example: 'order' })
  @IsString()
  readonly serviceId!: string;

  @ApiProperty({ minLength: 1, maxLength: 128, pattern: '\\S', description: 'For people.', example: 'Orders' })
  @IsString()
  readonly serviceName!: string;

  @ApiProperty({
    type: [String],
    maxItems: 100,
    description: 'What it may do. Who registers it must hold each of them.',
    example: ['session.read', 'session.write:order.*'],
  })
  @RawJson()
  @IsArray()
  @IsString({ each: true })
  readonly permissions!: readonly string[];

  @ApiPropertyOptional(CHOSEN_SECRET)
  @IfGiven()
  @IsString()
  readonly secretKey?: string;

  @ApiPropertyOptional({ default: false, description: 'Whether a service of this id, with its secrets, is replaced.' })
  @IfGiven()
  @IsBoolean()
  readonly replace?: boolean;
}
